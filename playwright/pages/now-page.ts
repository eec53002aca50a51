import type { Locator, Page } from '@playwright/test';
import { BackfillTable } from './backfill-table.ts';

export type TileName =
  | 'Live freshness, p99'
  | 'Oldest live event waiting'
  | 'Replay rate'
  | 'Spend against budget';
export type StageName = 'Source' | 'Stream' | 'Aggregate' | 'Store';

export class NowPage {
  readonly page: Page;
  readonly verdict: Locator;
  readonly sentence: Locator;
  readonly pauseAllReplay: Locator;
  readonly resumeReplay: Locator;
  readonly throttleToSafeRate: Locator;
  /** In a fire drill. */
  readonly releaseStore: Locator;
  readonly alerts: Locator;
  readonly pipeline: Locator;
  readonly throughput: Locator;
  readonly chart: Locator;
  readonly markers: Locator;
  readonly streams: Locator;
  readonly backfills: BackfillTable;

  constructor(page: Page) {
    this.page = page;
    this.verdict = page.getByRole('region', { name: 'Verdict' });
    this.sentence = this.verdict.getByRole('heading', { level: 1 });
    this.pauseAllReplay = this.verdict.getByRole('button', { name: 'Pause all replay' });
    this.resumeReplay = this.verdict.getByRole('button', { name: 'Resume replay' });
    this.throttleToSafeRate = this.verdict.getByRole('button', { name: 'Throttle to safe rate' });
    this.releaseStore = this.verdict.getByRole('button', { name: 'Release the store now' });
    this.alerts = page.getByRole('region', { name: 'Alerts' });
    this.pipeline = page.getByRole('region', { name: 'Pipeline' });
    this.throughput = page.getByRole('region', { name: 'Throughput' });
    this.chart = this.throughput.getByRole('img');
    this.markers = this.throughput.getByRole('list', { name: 'Who did what' });
    this.streams = page.getByRole('region', { name: 'Streams' });
    this.backfills = new BackfillTable(page.getByRole('region', { name: 'Current backfills' }));
  }

  async open(): Promise<void> {
    await this.page.goto('/');
    await this.sentence.waitFor();
  }

  /** Scrolls to the chart: what is out of sight is not drawn, and cannot be waited for. */
  async showChart(): Promise<void> {
    await this.throughput.scrollIntoViewIfNeeded();
    await this.chart.waitFor();
  }

  /** What the sentence, the tile and the row of the one backfill that runs say of its rate, in every frame of two seconds in which the sentence does. */
  async replayRates(): Promise<string[][]> {
    const shown = [this.sentence, this.tile('Replay rate'), this.backfills.rows];
    const elements = await Promise.all(shown.map((locator) => locator.elementHandle()));
    return this.page.evaluate(
      (all) =>
        new Promise<string[][]>((resolve) => {
          const seen: string[][] = [];
          const began = performance.now();
          const look = () => {
            const rates = all.map(
              (element) => /([\d,.]+)\s*events\/s/.exec(element?.textContent ?? '')?.[1] ?? '',
            );
            if (all[0]?.textContent?.includes(' adds ')) seen.push(rates);
            if (performance.now() - began < 2_000) requestAnimationFrame(look);
            else resolve(seen);
          };
          look();
        }),
      elements,
    );
  }

  tile(name: TileName): Locator {
    return this.page.getByRole('region', { name, exact: true });
  }

  stage(name: StageName): Locator {
    return this.pipeline
      .getByRole('listitem')
      .filter({ has: this.page.getByRole('heading', { name, exact: true }) });
  }

  /** The pause of one backfill, beside the verdict, where it goes by the beginning of its id. */
  pause(backfillId: string): Locator {
    return this.verdict.getByRole('button', { name: `Pause ${backfillId.slice(0, 9)}` });
  }

  async showRange(range: '3 min' | '15 min' | '1 h'): Promise<void> {
    await this.throughput.getByText(range, { exact: true }).click();
  }
}
