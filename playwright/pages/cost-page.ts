import type { Locator, Page } from '@playwright/test';

export class CostPage {
  readonly page: Page;
  readonly heading: Locator;
  readonly spendPerHour: Locator;
  readonly live: Locator;
  readonly backfills: Locator;
  readonly priceBook: Locator;
  readonly edit: Locator;
  readonly save: Locator;

  constructor(page: Page) {
    this.page = page;
    const main = page.getByRole('main');
    this.heading = main.getByRole('heading', { level: 1, name: 'Cost' });
    this.spendPerHour = main.getByRole('region', { name: 'Spend per hour' });
    this.live = main.getByRole('region', { name: 'Live, by item' });
    this.backfills = main.getByRole('region', { name: 'By backfill' });
    this.priceBook = main.getByRole('region', { name: 'Price book' });
    this.edit = this.priceBook.getByRole('button', { name: 'Edit prices' });
    this.save = this.priceBook.getByRole('button', { name: /^Save as version \d+$/ });
  }

  async open(): Promise<void> {
    await this.page.goto('/cost');
    await this.heading.waitFor();
  }

  row(backfillId: string): Locator {
    return this.backfills.locator(`[data-row="${backfillId}"]`);
  }

  /** A price of the form that is open. */
  price(item: string): Locator {
    return this.priceBook.getByRole('textbox', { name: item, exact: true });
  }
}
