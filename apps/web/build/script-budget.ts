import { gzipSync } from 'node:zlib';
import type { Plugin, Rollup } from 'vite';

type Chunks = ReadonlyMap<string, Rollup.OutputChunk>;

/**
 * Fails the build when a screen's first load needs more script than `maxGzipBytes`: the entry and the screen's own chunk, with
 * everything they import. What a screen fetches after it is shown (`import()`) is not counted.
 */
export function scriptBudget({
  screens,
  maxGzipBytes,
}: {
  /** Matches the module of each screen; its first group names the screen. */
  readonly screens: RegExp;
  readonly maxGzipBytes: number;
}): Plugin {
  return {
    name: 'spillway:script-budget',
    apply: 'build',
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        const chunks: Chunks = new Map(
          Object.values(bundle).flatMap((output) =>
            output.type === 'chunk' ? [[output.fileName, output] as const] : [],
          ),
        );
        const bytes = new Map([...chunks].map(([file, { code }]) => [file, gzipSync(code).length]));
        for (const [screen, files] of firstLoads(chunks, screens)) {
          const total = [...files].reduce((sum, file) => sum + (bytes.get(file) ?? 0), 0);
          const said = `${screen}: ${kilobytes(total)} kB gzip of script at first load`;
          if (total > maxGzipBytes) this.error(`${said}; the budget is ${kilobytes(maxGzipBytes)} kB`);
          this.info(said);
        }
      },
    },
  };
}

/** The files of each screen. */
function firstLoads(chunks: Chunks, screens: RegExp): Map<string, Set<string>> {
  const entries = [...chunks.values()].filter(({ isEntry }) => isEntry);
  const loads = new Map<string, Set<string>>();
  for (const chunk of chunks.values()) {
    for (const module of chunk.moduleIds) {
      const screen = screens.exec(module)?.[1];
      if (screen === undefined) continue;
      const files = new Set<string>();
      for (const { fileName } of [...entries, chunk]) addWithImports(chunks, fileName, files);
      loads.set(screen, files);
    }
  }
  return loads;
}

function addWithImports(chunks: Chunks, fileName: string, files: Set<string>): void {
  if (files.has(fileName)) return;
  files.add(fileName);
  for (const imported of chunks.get(fileName)?.imports ?? []) addWithImports(chunks, imported, files);
}

function kilobytes(bytes: number): number {
  return Math.ceil(bytes / 1_000);
}
