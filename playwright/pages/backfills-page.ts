import type { Locator, Page } from '@playwright/test';
import { BackfillTable } from './backfill-table.ts';

export type StateGroup = 'All' | 'Active' | 'Waiting' | 'Failed' | 'Completed' | 'Cancelled';

export class BackfillsPage {
  readonly page: Page;
  readonly heading: Locator;
  readonly table: BackfillTable;
  readonly filter: Locator;
  readonly text: Locator;
  readonly startedBy: Locator;
  readonly clear: Locator;
  readonly pauseChosen: Locator;
  readonly nextPage: Locator;
  readonly firstPage: Locator;

  constructor(page: Page) {
    this.page = page;
    const main = page.getByRole('main');
    this.heading = main.getByRole('heading', { level: 1, name: 'Backfills' });
    this.table = new BackfillTable(main);
    this.filter = main.getByRole('radiogroup', { name: 'Show backfills by state' });
    this.text = main.getByRole('textbox', { name: 'Id or reason' });
    this.startedBy = main.getByRole('textbox', { name: 'Started by' });
    this.clear = main.getByRole('button', { name: 'Clear filters' });
    this.pauseChosen = main.getByRole('button', { name: /^Pause \d+ chosen$/ });
    this.nextPage = main.getByRole('button', { name: 'Next page' });
    this.firstPage = main.getByRole('button', { name: 'First page' });
  }

  async open(search = ''): Promise<void> {
    await this.page.goto(`/backfills${search}`);
    await this.heading.waitFor();
  }

  async show(group: StateGroup): Promise<void> {
    await this.filter.getByText(group, { exact: true }).click();
  }
}
