import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Plugin } from 'vite';

/** Smaller files than this fit one packet anyway. */
const minBytes = 1_024;
const compressible = /\.(?:js|css|svg)$/;

/**
 * Writes `name.br` and `name.gz` beside every asset, so that the server sends a file instead of compressing the same bytes for every
 * visitor. The build runs at a newcomer's first start: brotli's 9 takes a tenth of the time of its 11 for some 4 % more bytes.
 */
export function compress(): Plugin {
  return {
    name: 'spillway:compress',
    apply: 'build',
    generateBundle: {
      order: 'post',
      async handler(_options, bundle) {
        const emit = (fileName: string, source: Uint8Array) =>
          this.emitFile({ type: 'asset', fileName, source });
        await Promise.all(
          Object.values(bundle).map(async (output) => {
            const bytes = Buffer.from(output.type === 'chunk' ? output.code : output.source);
            if (!compressible.test(output.fileName) || bytes.length < minBytes) return;
            const [br, gz] = await Promise.all([
              promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }),
              promisify(gzip)(bytes, { level: 9 }),
            ]);
            emit(`${output.fileName}.br`, br);
            emit(`${output.fileName}.gz`, gz);
          }),
        );
      },
    },
  };
}
