/**
 * The thread that decodes: a row group takes about 100 ms of one core, and the thread that asks for it also
 * renews leases and must obey a pause within 250 ms. Damaged bytes can at worst end this thread, not the worker.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { SourceError } from '../../data-plane/ports.ts';
import type { StoredObject } from '../source-objects/objects.ts';
import { sourceMap } from '../source-rows/source-map.ts';
import { countRowGroup } from './count.ts';
import { decodeRowGroup, type OpenObjectBytes } from './decode.ts';
import type {
  DecodeRequest,
  DecodeResults,
  DecodeThreadData,
  FromThread,
  ToThread,
} from './decode-protocol.ts';
import { type Footer, readFooter } from './footer.ts';
import { layoutOf, type RowGroupLayout } from './layout.ts';
import { ObjectBytes } from './object-bytes.ts';

/** Lanes walk a few objects at a time. */
const FOOTERS_MAX = 8;

const { columns, sources } = workerData as DecodeThreadData;
const sourcesByKey = sourceMap(sources);
/** By path and version; least recently used first. */
const footers = new Map<string, Footer>();
let reading: PromiseWithResolvers<ArrayBuffer> | null = null;

async function answer(request: DecodeRequest): Promise<DecodeResults[keyof DecodeResults]> {
  const bytes = new ObjectBytes(request.object, read);
  const open: OpenObjectBytes = { bytes, footer: await footerOf(request.object, bytes), columns };
  if (request.kind === 'layout') return layoutOf(open);
  const group = groupOf(open, request.group);
  if (request.kind === 'count')
    return countRowGroup(open, group, request.group, sourcesByKey, request.stepMs);
  return decodeRowGroup(open, group, request.group.from);
}

async function footerOf({ path, version }: StoredObject, bytes: ObjectBytes): Promise<Footer> {
  const key = `${path}\0${version}`;
  const footer = footers.get(key) ?? (await readFooter(bytes, columns));
  footers.delete(key);
  footers.set(key, footer);
  for (const oldest of footers.keys()) {
    if (footers.size <= FOOTERS_MAX) break;
    footers.delete(oldest);
  }
  return footer;
}

/** One at a time. */
function read(from: number, to: number): Promise<ArrayBuffer> {
  reading = Promise.withResolvers();
  tell({ type: 'read', from, to });
  return reading.promise;
}

function groupOf(open: OpenObjectBytes, layout: RowGroupLayout) {
  const group = open.footer.groups.find(({ index }) => index === layout.index);
  if (!group) throw new RangeError(`no row group ${layout.index}`);
  return group;
}

function buffersOf(result: DecodeResults[keyof DecodeResults]): ArrayBuffer[] {
  return Object.values(result)
    .filter((value) => ArrayBuffer.isView(value))
    .map((view) => view.buffer as ArrayBuffer);
}

function tell(message: FromThread, transferred: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transferred);
}

// The other side sends one request at a time.
parentPort?.on('message', (message: ToThread) => {
  if (message.type === 'bytes') return reading?.resolve(message.bytes);
  if (message.type === 'unread')
    return reading?.reject(new SourceError(message.code, message.detail, message.address));
  const { request } = message;
  answer(request).then(
    (result) => tell({ type: 'result', result }, buffersOf(result)),
    (error: unknown) => {
      const {
        code,
        message: detail,
        address,
      } = error instanceof SourceError
        ? error
        : new SourceError(
            'source_corrupt',
            `${request.object.path}: ${(error as Error).message}`,
            request.kind === 'layout' ? null : `row ${request.group.firstRow}`,
          );
      const { path } = request.object;
      tell({
        type: 'failure',
        code,
        detail: detail.includes(path) ? detail : `${path}: ${detail}`,
        address,
      });
    },
  );
});
