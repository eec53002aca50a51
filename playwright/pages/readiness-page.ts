import type { Locator, Page } from '@playwright/test';

export class ReadinessPage {
  readonly page: Page;
  readonly heading: Locator;
  readonly summary: Locator;
  readonly openQuestions: Locator;
  readonly items: Locator;

  constructor(page: Page) {
    this.page = page;
    const main = page.getByRole('main');
    this.heading = main.getByRole('heading', { level: 1, name: 'Readiness' });
    this.summary = main.getByRole('region', { name: 'Summary' });
    this.openQuestions = this.summary.getByRole('list', { name: 'Open questions' });
    this.items = main.locator('li[data-answer]');
  }

  async open(): Promise<void> {
    await this.page.goto('/readiness');
    await this.heading.waitFor();
    await this.summary.waitFor();
  }

  item(question: string | RegExp): Locator {
    return this.items.filter({ has: this.page.getByRole('heading', { level: 3, name: question }) });
  }

  answer(question: string | RegExp): Locator {
    return this.item(question).locator('[data-state]');
  }

  /** Where the answer is changed. */
  place(question: string | RegExp): Locator {
    return this.item(question).getByRole('link');
  }
}
