import { pathToFileURL } from 'node:url';
import type { DurableStream, StreamStats } from '../../../src/data-plane/ports.ts';

/** What a module beside the suite exports, so that the suite and the processes it starts open the same streams. */
export interface StreamAdapter {
  /** A place with no stream in it yet: a folder, a key prefix, a topic. */
  prepare(): Promise<string>;
  open(place: string): Promise<DurableStream>;
  clear(place: string): Promise<void>;
  /** The backbone cannot tell the bytes of what it holds. */
  readonly bytesUnknown?: true;
  /** What is accepted of the backbone of the tests, and so of it. */
  readonly accepted?: StreamStats['accepted'];
}

export async function loadStreamAdapter(modulePath: string): Promise<StreamAdapter> {
  return (await import(pathToFileURL(modulePath).href)) as StreamAdapter;
}
