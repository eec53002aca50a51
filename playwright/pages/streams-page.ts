import type { Locator, Page } from '@playwright/test';

export class StreamsPage {
  readonly page: Page;
  readonly heading: Locator;
  readonly chart: Locator;
  readonly chartPanel: Locator;
  readonly route: Locator;

  constructor(page: Page) {
    this.page = page;
    const main = page.getByRole('main');
    this.heading = main.getByRole('heading', { level: 1, name: 'Streams' });
    this.chartPanel = main.getByRole('region', { name: 'Length and lag' });
    this.chart = this.chartPanel.getByRole('img');
    this.route = main.getByRole('region', { name: 'Route of replay' });
  }

  async open(): Promise<void> {
    await this.page.goto('/streams');
    await this.heading.waitFor();
  }

  stream(name: string): Locator {
    return this.page.getByRole('main').getByRole('region', { name, exact: true });
  }

  /** What stands beside a name of it: "Lag", "Size", … */
  figure(stream: string, name: string): Locator {
    return this.stream(stream)
      .locator('dl > div')
      .filter({ has: this.page.locator('dt').filter({ hasText: new RegExp(`^${name}$`) }) })
      .locator('dd');
  }

  async show(view: 'With mark' | 'Close up' | 'Lag in time'): Promise<void> {
    await this.chartPanel.getByText(view, { exact: true }).click();
  }
}
