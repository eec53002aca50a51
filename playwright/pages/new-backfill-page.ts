import type { Locator, Page } from '@playwright/test';

export class NewBackfillPage {
  readonly page: Page;
  readonly heading: Locator;
  readonly sources: Locator;
  readonly map: Locator;
  readonly brush: Locator;
  readonly windowBegins: Locator;
  readonly windowEnds: Locator;
  readonly from: Locator;
  readonly to: Locator;
  /** What the window that is chosen holds. */
  readonly chosen: Locator;
  readonly mapAge: Locator;
  readonly largestHole: Locator;
  readonly everything: Locator;
  readonly subwindow: Locator;
  readonly rate: Locator;
  readonly share: Locator;
  readonly concurrency: Locator;
  readonly reason: Locator;
  readonly start: Locator;
  readonly copyAsCurl: Locator;
  readonly refusal: Locator;
  readonly quote: Locator;
  /** On the frontier chart. */
  readonly rateSlider: Locator;
  readonly budget: Locator;
  readonly isolated: Locator;
  readonly quoteAgain: Locator;

  constructor(page: Page) {
    this.page = page;
    this.heading = page.getByRole('heading', { level: 1, name: 'New backfill' });
    this.sources = page.getByRole('region', { name: 'Sources' });
    this.map = page.getByRole('img', { name: /^Coverage: / });
    this.brush = page.getByTestId('coverage-brush');
    this.windowBegins = page.getByRole('slider', { name: 'Window begins' });
    this.windowEnds = page.getByRole('slider', { name: 'Window ends' });
    this.from = page.getByLabel('From (UTC)');
    this.to = page.getByLabel('To (UTC, not included)');
    const window = page.getByRole('region', { name: 'Window' });
    this.chosen = window.getByRole('status');
    this.mapAge = window.getByTestId('coverage-age');
    this.largestHole = page.getByRole('button', { name: 'Largest hole' });
    this.everything = page.getByRole('button', { name: 'Everything' });
    const limits = page.getByRole('region', { name: 'Limits' });
    this.subwindow = limits.getByRole('combobox', { name: 'Subwindow' });
    this.rate = limits.getByRole('textbox', { name: 'Rate limit' });
    this.share = limits.getByRole('textbox', { name: 'Share' });
    this.concurrency = limits.getByRole('textbox', { name: 'Concurrency' });
    this.reason = page.getByLabel('Reason');
    this.start = page.getByRole('button', { name: 'Start backfill' });
    this.copyAsCurl = page.getByRole('button', { name: 'Copy as curl' });
    this.quote = page.getByRole('region', { name: 'Quote' });
    this.rateSlider = this.quote.getByRole('slider', { name: 'Rate, events per second' });
    this.budget = limits.getByRole('textbox', { name: 'Budget' });
    this.isolated = limits.getByRole('checkbox', { name: 'Only on isolated workers' });
    this.quoteAgain = page.getByRole('button', { name: 'Quote again' });
    this.refusal = page.getByRole('region', { name: 'Start' }).getByRole('alert');
  }

  async open(): Promise<void> {
    await this.page.goto('/backfills/new');
    await this.heading.waitFor();
  }

  source(id: string): Locator {
    return this.sources.locator(`input[value="${id}"]`);
  }

  async limitBy(how: 'Default' | 'Share' | 'Rate' | 'Finish by' | 'At most'): Promise<void> {
    const name = how === 'Default' ? /^Default/ : new RegExp(`^${how}$`);
    await this.page.getByRole('radiogroup', { name: 'Limit by' }).getByText(name).click();
  }

  /** One figure of the quote, as written. */
  figure(name: string): Locator {
    return this.quote
      .locator('dl > div')
      .filter({ has: this.page.getByText(name, { exact: true }) })
      .locator('dd')
      .first();
  }

  /** Drags over the map, from and to as fractions of its width. */
  async brushWindow(from: number, to: number): Promise<void> {
    await this.brush.scrollIntoViewIfNeeded();
    const box = await this.brush.boundingBox();
    if (box === null) throw new Error('the coverage map is not on the screen');
    const y = box.y + box.height / 2;
    await this.page.mouse.move(box.x + box.width * from, y);
    await this.page.mouse.down();
    await this.page.mouse.move(box.x + box.width * to, y, { steps: 8 });
    await this.page.mouse.up();
  }
}
