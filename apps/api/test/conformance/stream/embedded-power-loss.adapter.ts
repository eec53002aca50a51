import { openEmbeddedStream } from '../../../src/adapters/stream-embedded/stream.ts';
import type { DurableStream } from '../../../src/data-plane/ports.ts';

export { clear, prepare } from './embedded.adapter.ts';

export function open(place: string): Promise<DurableStream> {
  return openEmbeddedStream({ directory: place, name: 'live', survives: 'power-loss' });
}
