import type { Locator, Page } from '@playwright/test';

export class SettingsPage {
  readonly page: Page;
  readonly heading: Locator;
  readonly tokens: Locator;
  readonly webhooks: Locator;
  readonly workers: Locator;
  readonly sources: Locator;
  readonly about: Locator;
  readonly makeToken: Locator;
  readonly addWebhook: Locator;
  readonly dialog: Locator;
  /** What is shown once. */
  readonly secret: Locator;
  readonly safe: Locator;

  constructor(page: Page) {
    this.page = page;
    const main = page.getByRole('main');
    this.heading = main.getByRole('heading', { level: 1, name: 'Settings' });
    this.tokens = main.getByRole('region', { name: 'Tokens', exact: true });
    this.webhooks = main.getByRole('region', { name: 'Webhooks', exact: true });
    this.workers = main.getByRole('region', { name: 'Workers', exact: true });
    this.sources = main.getByRole('region', { name: 'Sources' });
    this.about = main.getByRole('region', { name: 'About' });
    this.makeToken = this.tokens.getByRole('button', { name: 'Make a token' });
    this.addWebhook = this.webhooks.getByRole('button', { name: 'Add a webhook' });
    this.dialog = page.getByRole('dialog');
    this.secret = this.dialog.getByTestId('secret');
    this.safe = this.dialog.getByRole('button', { name: 'Keep it' });
  }

  async open(): Promise<void> {
    await this.page.goto('/settings');
    await this.heading.waitFor();
  }

  token(name: string): Locator {
    return this.tokens.locator('[data-row]').filter({ hasText: name });
  }

  worker(name: string, state: string): Locator {
    return this.workers.locator('[data-row]').filter({ hasText: name }).filter({ hasText: state });
  }

  webhook(title: string): Locator {
    return this.webhooks.locator('[data-row]').filter({ hasText: title });
  }

  button(name: string): Locator {
    return this.dialog.getByRole('button', { name, exact: true });
  }
}
