/** The adapter of external pipelines. For the entry points alone: only they choose. */
import type { ExternalDefinition } from '@spillway/shared/api/external';
import { checkExternalStream, openExternalStream } from './adapters/stream-external/stream.ts';
import { ServerSettingsError } from './adapters/stream-redis/server-check.ts';
import { type ExternalStream, StreamError } from './data-plane/ports.ts';

/** Whoever asks waits. */
const CHECK_PATIENCE_MS = 2_000;

export function openExternal(name: string, definition: ExternalDefinition): ExternalStream {
  return openExternalStream({ name, definition });
}

/**
 * What is wrong with it, by the code of a {@link StreamError}, `invalid` for a URL that is none, or `unfit` for a server that cannot do what is needed,
 * whatever is accepted; null: nothing. Nothing is left open.
 */
export async function complaintAboutExternal(
  definition: ExternalDefinition,
): Promise<{ readonly code: StreamError['code'] | 'invalid' | 'unfit'; readonly detail: string } | null> {
  try {
    await checkExternalStream({ name: 'check', definition, patienceMs: CHECK_PATIENCE_MS });
    return null;
  } catch (error) {
    if (error instanceof RangeError) return { code: 'invalid', detail: error.message };
    if (!(error instanceof StreamError)) throw error;
    const isUnfit = error.code === 'stream_refused' && !(error instanceof ServerSettingsError);
    return { code: isUnfit ? 'unfit' : error.code, detail: error.message };
  }
}
