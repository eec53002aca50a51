import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedStream } from '../../../src/adapters/stream-embedded/stream.ts';
import type { DurableStream } from '../../../src/data-plane/ports.ts';

export function prepare(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'spillway-stream-'));
}

export function open(place: string): Promise<DurableStream> {
  return openEmbeddedStream({ directory: place, name: 'live' });
}

export function clear(place: string): Promise<void> {
  return rm(place, { recursive: true });
}
