/** What deploy/ shows and alerts on exists, and what exists is shown, or left out by name. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { measuredSignals } from '@spillway/shared/api/governor';
import { expect, test } from 'vitest';
import { alertRules } from '../../src/control-plane/alerts/rules.ts';
import type { ControlContext } from '../../src/control-plane/context.ts';
import { createControlMetrics } from '../../src/control-plane/http/metrics.ts';

const deploy = join(import.meta.dirname, '../../../../deploy');
const rules = readFileSync(join(deploy, 'prometheus/alerts.yml'), 'utf8');
const board = JSON.parse(readFileSync(join(deploy, 'grafana/spillway.json'), 'utf8')) as {
  panels: { id: number; type: string; title: string; targets?: { expr: string }[] }[];
  templating: { list: { query: string | { query: string } }[] };
};
const expressions = [
  ...board.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
  ...board.templating.list.map(({ query }) => (typeof query === 'string' ? query : query.query)),
].join('\n');

/** Nobody is asked anything before somebody asks for the metrics. */
const metrics = createControlMetrics({} as ControlContext).registry.getMetricsAsArray();
const own = metrics.map(({ name }) => name).filter((name) => name.startsWith('spillway_'));
/** Not on the dashboard; why. */
const leftOut: Readonly<Record<string, string>> = {
  spillway_pipelines: 'For rules: whether there is one that apply workers serve.',
};

function metricsIn(text: string): string[] {
  const names = [...text.matchAll(/\bspillway_\w+/g)].map(([name]) => name);
  return [...new Set(names.map((name) => name.replace(/_(bucket|count|sum)$/, '')))];
}
const signalsIn = (text: string) => [...text.matchAll(/signal="(\w+)"/g)].map(([, name]) => name);

test('there is something to compare', () => {
  expect(own.length).toBeGreaterThan(15);
  expect(metricsIn('rate(spillway_a_bucket[1m]) / spillway_b{x="y"}')).toEqual(['spillway_a', 'spillway_b']);
});

test.each([
  ['the dashboard', expressions],
  ['the alert rules', rules],
])('%s asks for metrics and signals that exist', (_which, text) => {
  expect(metricsIn(text).filter((name) => !own.includes(name))).toEqual([]);
  expect(signalsIn(text).filter((name) => !(measuredSignals as readonly unknown[]).includes(name))).toEqual(
    [],
  );
});

test('every metric of Spillway’s own is on the dashboard, or left out by name', () => {
  const shown = metricsIn(expressions);
  expect(own.filter((name) => !shown.includes(name)).toSorted()).toEqual(Object.keys(leftOut).toSorted());
});

test('the rules know which alerts are critical as they begin', () => {
  const critical = Object.entries(alertRules).flatMap(([code, { severity }]) =>
    severity === 'critical' ? [code] : [],
  );
  const named = [...rules.matchAll(/code[=!]~"([\w|]+)"/g)].map(([, codes]) => codes!.split('|').toSorted());
  expect(named).toEqual([critical.toSorted(), critical.toSorted()]);
});

test('panels have ids of their own, and stand in a row that says what they answer', () => {
  const ids = board.panels.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(board.panels.filter(({ type }) => type === 'row').map(({ title }) => title)).toEqual([
    'Is live safe?',
    'Replay: its rate, and why not faster',
    'Streams',
    'Store',
    'Workers and api',
    'Cost',
    'Alerts',
  ]);
});
