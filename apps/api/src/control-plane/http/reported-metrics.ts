/**
 * What `/metrics` says of what the workers report, beside the signals (`spillway_signal`): rates, streams, and who they are. The very values that the
 * screens show. What is unknown has no series: a gap in the graph, never a zero.
 */
import { workerRoles } from '@spillway/shared/api/worker-protocol';
import { Gauge, type Registry } from 'prom-client';
import type { ControlContext } from '../context.ts';
import { governorMemory } from '../governor/memory.ts';
import { liveStreamOf, type PipelineObservation, streamReport, valuesOf } from '../telemetry/observation.ts';
import { presenceOf } from '../workers/membership.ts';

type Series = readonly [labels: Readonly<Record<string, string>>, value: number | null];

interface Reported {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  readonly series: (values: ReturnType<typeof valuesOf>, seen: PipelineObservation) => readonly Series[];
}

/** Of the stream that live comes on, and of replay's own; where they share one, that is live's. */
const ofStreams = (name: string, help: string, of: 'length' | 'lengthBytes'): Reported => ({
  name,
  help,
  labelNames: ['stream'],
  series: (_values, seen) => [
    // On a stream of the user's own nobody here can tell live from the rest.
    [{ stream: 'live' }, liveStreamOf(seen)?.[of] ?? null],
    [{ stream: 'replay' }, streamReport(seen, seen.replayStream)?.[of] ?? null],
  ],
});

const reported: readonly Reported[] = [
  {
    name: 'spillway_events_per_second',
    help: 'Events of live and of replay, as published and as applied',
    labelNames: ['publisher', 'at'],
    series: (values) => [
      [{ publisher: 'live', at: 'published' }, values.livePublishedEventsPerSecond],
      [{ publisher: 'live', at: 'applied' }, values.liveEventsPerSecond],
      [{ publisher: 'replay', at: 'published' }, values.replayPublishedEventsPerSecond],
      [{ publisher: 'replay', at: 'applied' }, values.replayEventsPerSecond],
    ],
  },
  {
    name: 'spillway_capacity_events_per_second',
    help: 'What the pipeline can apply, as measured or set',
    labelNames: [],
    series: (values) => [[{}, values.capacityEventsPerSecond]],
  },
  {
    name: 'spillway_granted_events_per_second',
    help: 'What the leases of all its backfills may use',
    labelNames: [],
    series: (values) => [[{}, values.grantedEventsPerSecond]],
  },
  ofStreams('spillway_stream_length', 'Entries not yet trimmed', 'length'),
  ofStreams('spillway_stream_bytes', 'Bytes of what is not yet trimmed', 'lengthBytes'),
  {
    name: 'spillway_stream_high_water_mark',
    help: 'Length of the stream replay publishes on at which the reader stops',
    labelNames: [],
    series: (_values, { highWaterMark }) => [[{}, highWaterMark]],
  },
];

export function registerReportedMetrics(registry: Registry, ctx: ControlContext): void {
  const registers = [registry];
  for (const { name, help, labelNames, series } of reported)
    new Gauge({
      name,
      help,
      labelNames: ['pipeline', ...labelNames],
      registers,
      collect() {
        this.reset();
        for (const pipeline of governorMemory(ctx).looks.keys()) {
          const seen = ctx.telemetry.observation(pipeline);
          if (seen === null) continue;
          for (const [labels, value] of series(valuesOf(seen), seen))
            if (value !== null) this.set({ pipeline, ...labels }, value);
        }
      },
    });
  new Gauge({
    name: 'spillway_pipelines',
    help: 'Pipelines that there are: built_in, which apply workers serve, and external',
    labelNames: ['kind'],
    registers,
    collect() {
      const looks = [...governorMemory(ctx).looks.values()];
      const external = looks.filter((look) => look.external !== undefined).length;
      this.set({ kind: 'external' }, external);
      this.set({ kind: 'built_in' }, looks.length - external);
    },
  });
  new Gauge({
    name: 'spillway_workers',
    help: 'Workers heard in the last ten seconds',
    labelNames: ['role', 'state'],
    registers,
    collect() {
      const presence = presenceOf(ctx);
      for (const role of workerRoles)
        for (const state of ['working', 'standby'] as const) this.set({ role, state }, presence[role][state]);
    },
  });
}
