import type { Locator } from '@playwright/test';

/** The rows of backfills on Now and on Backfills. */
export class BackfillTable {
  readonly root: Locator;
  readonly rows: Locator;

  constructor(root: Locator) {
    this.root = root;
    this.rows = root.locator('[data-backfill-id]');
  }

  row(id: string): Locator {
    return this.root.locator(`[data-backfill-id="${id}"]`);
  }

  link(id: string): Locator {
    return this.row(id).getByRole('link', { name: id, exact: true });
  }

  state(id: string): Locator {
    return this.row(id).locator('[data-state]');
  }

  verb(id: string, verb: 'Pause' | 'Resume' | 'Retry'): Locator {
    return this.row(id).getByRole('button', { name: `${verb} ${id}` });
  }

  throttle(id: string): Locator {
    return this.row(id).getByRole('link', { name: `Throttle ${id}` });
  }

  /** The line of its rate. */
  sparkline(id: string): Locator {
    return this.row(id).locator('svg:has(> line) path');
  }

  choose(id: string): Locator {
    return this.row(id).getByRole('checkbox', { name: `Choose ${id}` });
  }
}
