import type { Locator, Page } from '@playwright/test';

export class AuditPage {
  readonly page: Page;
  readonly heading: Locator;
  readonly entries: Locator;
  readonly chain: Locator;
  readonly verify: Locator;
  readonly who: Locator;
  readonly didWhat: Locator;
  readonly toWhat: Locator;
  readonly from: Locator;
  readonly clear: Locator;
  readonly older: Locator;
  readonly newest: Locator;

  constructor(page: Page) {
    this.page = page;
    const main = page.getByRole('main');
    this.heading = main.getByRole('heading', { level: 1, name: 'Audit' });
    this.entries = main.getByRole('region', { name: 'Entries' }).locator('[data-row]');
    this.chain = main.getByRole('region', { name: 'The chain' });
    this.verify = this.chain.getByRole('button', { name: 'Verify the chain' });
    this.who = main.getByRole('textbox', { name: 'Who' });
    this.didWhat = main.getByRole('combobox', { name: 'Did what' });
    this.toWhat = main.getByRole('textbox', { name: 'To what' });
    this.from = main.getByRole('textbox', { name: 'From, UTC' });
    this.clear = main.getByRole('button', { name: 'Clear filters' });
    this.older = main.getByRole('button', { name: 'Older' });
    this.newest = main.getByRole('button', { name: 'Newest' });
  }

  async open(search = ''): Promise<void> {
    await this.page.goto(`/audit${search}`);
    await this.heading.waitFor();
  }

  /** The entries whose line says that. */
  entry(text: string | RegExp): Locator {
    return this.entries.filter({ hasText: text });
  }

  /** Opens an entry; the table of what changed. */
  async changes(entry: Locator): Promise<Locator> {
    await entry.locator('summary').click();
    return entry.getByRole('table');
  }
}
