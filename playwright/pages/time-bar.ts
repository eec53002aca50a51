import type { Locator, Page } from '@playwright/test';

/** The bar that chooses a moment, and the band that says which one is looked at. */
export class TimeBar {
  readonly page: Page;
  readonly bar: Locator;
  readonly handle: Locator;
  readonly before: Locator;
  readonly next: Locator;
  readonly band: Locator;
  readonly backToLive: Locator;

  constructor(page: Page) {
    this.page = page;
    this.bar = page.getByRole('region', { name: 'Time bar' });
    this.handle = this.bar.getByRole('slider', { name: 'Moment looked at' });
    this.before = this.bar.getByRole('button', { name: 'To the event before' });
    this.next = this.bar.getByRole('button', { name: 'To the next event' });
    this.band = page.getByRole('region', { name: 'Past moment' });
    this.backToLive = this.band.getByRole('button', { name: 'Back to live' });
  }

  /** Reads the bar anew: it does not follow every second by itself. */
  async waitUntilKnown(): Promise<void> {
    await this.handle.and(this.page.locator(':not([aria-disabled])')).waitFor();
  }

  /** Drags the handle there with the mouse. */
  async dragTo(atMs: number): Promise<void> {
    const [from, to] = [await this.edge('valuemin'), await this.edge('valuemax')];
    const box = await this.handle.boundingBox();
    if (box === null) throw new Error('the time bar is not on the screen');
    const y = box.y + box.height / 2;
    await this.page.mouse.move(box.x + box.width - 1, y);
    await this.page.mouse.down();
    await this.page.mouse.move(box.x + box.width / 2, y, { steps: 4 });
    await this.page.mouse.move(box.x + ((atMs - from) / (to - from)) * box.width, y, { steps: 4 });
    await this.page.mouse.up();
  }

  private async edge(name: 'valuemin' | 'valuemax'): Promise<number> {
    return Number(await this.handle.getAttribute(`aria-${name}`));
  }
}
