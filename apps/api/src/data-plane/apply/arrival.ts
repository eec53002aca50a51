/** Waiting until there is something to do. */
import type { Lane } from './lane.ts';

/** An idle loop looks this often whether there is something to tidy up. */
const IDLE_LOOK_MS = 250;

export class Arrival {
  #wake: () => void = () => undefined;

  /** Something has arrived, failed or ended: whoever waits looks. */
  readonly wake = (): void => this.#wake();

  /** Until an entry arrives or ripens, a reading fails, the signal aborts, or it is time to look around. */
  async wait(
    lanes: { readonly live?: Lane; readonly replay?: Lane },
    until: { readonly replayRows: number; readonly signal: AbortSignal },
  ): Promise<void> {
    const { live, replay } = lanes;
    const ready = (): boolean =>
      until.signal.aborted ||
      (live !== undefined && (live.waiting.length > 0 || live.hasFailed)) ||
      (replay !== undefined && (replay.isRipe(until.replayRows) || replay.hasFailed));
    await new Promise<void>((resolve) => {
      let timer = setTimeout(resolve, IDLE_LOOK_MS);
      const end = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.#wake = () => {
        clearTimeout(timer);
        if (ready()) end();
        else {
          const ripensInMs = replay?.ripensInMs ?? Number.POSITIVE_INFINITY;
          timer = setTimeout(end, Math.max(1, Math.min(IDLE_LOOK_MS, ripensInMs)));
        }
      };
      this.#wake();
    });
    this.#wake = () => undefined;
  }
}
