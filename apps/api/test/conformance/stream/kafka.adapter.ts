import { randomUUID } from 'node:crypto';
import { openKafkaStream } from '../../../src/adapters/stream-kafka/stream.ts';
import type { DurableStream } from '../../../src/data-plane/ports.ts';

/** Set by the test file, which starts the broker: where places are made. */
export const SERVER_URL = 'SPILLWAY_TEST_KAFKA_URL';

export const bytesUnknown = true;
/** The broker of the tests neither trims nor says how long it keeps. */
export const accepted = ['retention', 'untrimmed'] as const;

/** A place is a broker and what topics begin with. */
export async function prepare(): Promise<string> {
  return `${process.env[SERVER_URL]}/${randomUUID()}`;
}

export function open(place: string): Promise<DurableStream> {
  return openKafkaStream({ url: place, name: 'live', accepted });
}

/** The broker is thrown away with all that is on it. */
export async function clear(): Promise<void> {}
