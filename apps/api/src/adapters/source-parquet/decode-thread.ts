/**
 * The thread that reads and decodes: a row group takes about 100 ms of one core, and the thread that asks for it also
 * renews leases and must obey a pause within 250 ms. Damaged bytes can at worst end this thread, not the worker.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { SourceError } from '../../data-plane/ports.ts';
import { sourceMap } from '../source-rows/source-map.ts';
import { countRowGroup } from './count.ts';
import { decodeRowGroup, type OpenFile } from './decode.ts';
import type { DecodeAnswer, DecodeRequest, DecodeResults, DecodeThreadData } from './decode-protocol.ts';
import { FileBytes } from './file.ts';
import { type Footer, readFooter } from './footer.ts';
import { layoutOf, type RowGroupLayout } from './layout.ts';

const { file: path, columns, sources } = workerData as DecodeThreadData;
const { ids, sourceOf } = sourceMap(sources);
let lastFooter: { readonly version: string; readonly footer: Footer } | null = null;

async function answer(request: DecodeRequest): Promise<DecodeResults[keyof DecodeResults]> {
  const bytes = new FileBytes(path);
  try {
    if (request.kind !== 'layout' && request.version !== bytes.version)
      throw new SourceError('source_unavailable', `${path} was replaced while it was read`);
    if (lastFooter?.version !== bytes.version || request.kind === 'layout')
      lastFooter = { version: bytes.version, footer: readFooter(bytes, columns) };
    const open: OpenFile = { bytes, footer: lastFooter.footer, columns };
    if (request.kind === 'layout') return await layoutOf(open);
    const group = groupOf(open, request.group);
    if (request.kind === 'count')
      return await countRowGroup(open, group, request.group, { size: ids.length, sourceOf }, request.stepMs);
    return await decodeRowGroup(open, group, request.group.from);
  } finally {
    bytes.close();
  }
}

function groupOf(open: OpenFile, layout: RowGroupLayout) {
  const group = open.footer.groups.find(({ index }) => index === layout.index);
  if (!group) throw new RangeError(`no row group ${layout.index}`);
  return group;
}

function buffersOf(result: DecodeResults[keyof DecodeResults]): ArrayBuffer[] {
  return Object.values(result)
    .filter((value) => ArrayBuffer.isView(value))
    .map((view) => view.buffer as ArrayBuffer);
}

// The other side sends one request at a time.
parentPort?.on('message', (request: DecodeRequest) => {
  answer(request).then(
    (result) => parentPort?.postMessage({ ok: true, result } satisfies DecodeAnswer, buffersOf(result)),
    (error: unknown) => {
      const { code, message, address } =
        error instanceof SourceError
          ? error
          : new SourceError(
              'source_corrupt',
              `${path}: ${(error as Error).message}`,
              request.kind === 'layout' ? null : `row ${request.group.firstRow}`,
            );
      parentPort?.postMessage({ ok: false, code, detail: message, address } satisfies DecodeAnswer);
    },
  );
});
