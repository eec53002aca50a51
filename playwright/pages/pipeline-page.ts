import type { Locator, Page } from '@playwright/test';
import { BackfillTable } from './backfill-table.ts';

export class PipelinePage {
  readonly page: Page;
  readonly heading: Locator;
  readonly stages: Locator;
  readonly governor: Locator;
  readonly signals: Locator;
  readonly settings: Locator;
  readonly sources: Locator;
  /** Backfills that reconnects have queued. */
  readonly reconnects: BackfillTable;
  readonly probes: Locator;
  readonly drills: Locator;
  readonly startDrill: Locator;
  readonly releaseDrill: Locator;
  readonly drillDialog: DrillDialog;
  /** The newest report. */
  readonly drill: Locator;
  readonly removal: Locator;
  readonly remove: Locator;

  constructor(page: Page) {
    this.page = page;
    const main = page.getByRole('main');
    this.heading = main.getByRole('heading', { level: 1 });
    this.stages = main.getByRole('region', { name: 'Stages', exact: true });
    this.governor = main.getByRole('region', { name: 'Governor' });
    this.signals = main.getByRole('region', { name: 'Signals' });
    this.settings = main.getByRole('region', { name: 'Settings' });
    this.sources = main.getByRole('region', { name: 'Sources' });
    this.reconnects = new BackfillTable(main.getByRole('region', { name: 'Reconnect queue' }));
    this.probes = main.getByRole('region', { name: 'Probes' });
    this.drills = main.getByRole('region', { name: 'Fire drills' });
    this.startDrill = this.drills.getByRole('button', { name: 'Start a drill…' });
    this.releaseDrill = this.drills.getByRole('button', { name: 'Release the store now' });
    this.drillDialog = new DrillDialog(page);
    this.removal = main.getByRole('region', { name: 'Remove pipeline' });
    this.remove = this.removal.getByRole('button', { name: 'Remove pipeline…' });
    this.drill = this.drills.getByRole('article').first();
  }

  async open(): Promise<void> {
    await this.page.goto('/pipeline');
    await this.heading.waitFor();
  }

  source(id: string): Locator {
    return this.sources.locator(`[data-row="${id}"]`);
  }

  disconnect(id: string): Locator {
    return this.source(id).getByRole('button', { name: `Disconnect ${id}` });
  }

  reconnect(id: string): Locator {
    return this.source(id).getByRole('button', { name: `Reconnect ${id}` });
  }

  signal(name: string): Locator {
    return this.signals.locator(`[data-row="${name}"]`);
  }

  /** When something of the newest drill happened, as written. */
  moment(name: string): Locator {
    return this.drill.getByRole('listitem').filter({ hasText: name }).locator('span').last();
  }
}

export class DrillDialog {
  readonly root: Locator;
  readonly seconds: Locator;
  readonly safe: Locator;
  readonly stall: Locator;

  constructor(page: Page) {
    this.root = page.getByRole('dialog', { name: 'Really stall the store?' });
    this.seconds = this.root.getByLabel('For how long');
    this.safe = this.root.getByRole('button', { name: 'Leave it running' });
    this.stall = this.root.getByRole('button', { name: 'Stall the store' });
  }
}
