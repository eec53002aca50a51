import type { Locator, Page } from '@playwright/test';

export class BackfillPage {
  readonly page: Page;
  readonly heading: Locator;
  readonly state: Locator;
  readonly pause: Locator;
  readonly resume: Locator;
  readonly retry: Locator;
  readonly cancel: Locator;
  readonly progress: Locator;
  readonly progressBar: Locator;
  readonly subwindows: Locator;
  readonly quarantine: Locator;
  readonly throttle: Locator;
  readonly rate: Locator;
  readonly share: Locator;
  readonly applyThrottle: Locator;
  /** Requested → acknowledged → effective. */
  readonly receipt: Locator;
  readonly staleEdit: Locator;
  readonly ceilings: Locator;
  readonly ledger: Locator;
  readonly proof: Locator;
  readonly audit: Locator;
  readonly cost: Locator;
  readonly budget: Locator;
  readonly setBudget: Locator;
  /** Beside the verbs, where its budget alone holds it. */
  readonly raiseBudget: Locator;
  readonly cancelDialog: CancelDialog;
  /** Asked before a limit goes above the safe rate. */
  readonly raiseDialog: RaiseDialog;

  constructor(page: Page) {
    this.page = page;
    const main = page.getByRole('main');
    this.heading = main.getByRole('heading', { level: 1 });
    this.state = main.locator('[data-state][data-size="large"]');
    this.pause = main.getByRole('button', { name: 'Pause', exact: true });
    this.resume = main.getByRole('button', { name: 'Resume', exact: true });
    this.retry = main.getByRole('button', { name: 'Retry', exact: true }).first();
    this.cancel = main.getByRole('button', { name: 'Cancel…' });
    this.progress = main.getByRole('region', { name: 'Progress' });
    this.progressBar = this.progress.getByRole('progressbar', { name: 'Progress' });
    this.subwindows = main.getByRole('region', { name: 'Subwindows', exact: true });
    this.quarantine = main.getByRole('region', { name: 'Quarantine' });
    this.throttle = main.getByRole('region', { name: 'Throttle' });
    this.rate = this.throttle.getByRole('textbox', { name: 'Rate limit' });
    this.share = this.throttle.getByRole('textbox', { name: 'Share' });
    this.applyThrottle = this.throttle.getByRole('button', { name: 'Apply throttle' });
    this.receipt = this.throttle.getByRole('status');
    this.staleEdit = this.throttle.getByRole('alert').filter({ hasText: 'changed this backfill' });
    this.ceilings = main.getByRole('region', { name: 'Rate and ceilings' });
    this.ledger = main.getByRole('region', { name: 'Ledger' });
    this.proof = main.getByRole('region', { name: 'Proof' });
    this.cost = main.getByRole('region', { name: 'Cost' });
    this.budget = this.cost.getByRole('textbox', { name: 'Budget' });
    this.setBudget = this.cost.getByRole('button', { name: 'Set budget' });
    this.raiseBudget = main.getByRole('button', { name: 'Raise budget…' });
    this.audit = main.getByRole('region', { name: 'Audit' });
    this.cancelDialog = new CancelDialog(page);
    this.raiseDialog = new RaiseDialog(page);
  }

  async open(id: string): Promise<void> {
    await this.page.goto(`/backfills/${id}`);
    await this.heading.filter({ hasText: id }).waitFor();
  }

  /** Asks for a rate; `receipt` then says when it took effect. */
  async throttleTo(eventsPerSecond: number): Promise<void> {
    await this.throttle.getByText('Events per second', { exact: true }).click();
    await this.rate.fill(String(eventsPerSecond));
    await this.applyThrottle.click();
  }

  /** One figure of the cost, as written. */
  costFigure(name: string): Locator {
    return this.cost
      .locator('dl > div')
      .filter({ has: this.page.getByText(name, { exact: true }) })
      .locator('dd')
      .first();
  }

  /** Of the write amplification. */
  rowsOf(title: string): Locator {
    return this.cost
      .getByRole('row')
      .filter({ has: this.page.getByRole('rowheader', { name: title, exact: true }) });
  }

  /** The number of one of the progress figures, as written. */
  figure(name: 'Expected' | 'Read' | 'Published' | 'Applied' | 'Duplicate' | 'Quarantined'): Locator {
    return this.progress
      .locator('dl > div')
      .filter({ has: this.page.getByText(name, { exact: true }) })
      .locator('dd')
      .first();
  }
}

export class CancelDialog {
  readonly root: Locator;
  readonly reason: Locator;
  readonly typedId: Locator;
  readonly keep: Locator;
  readonly confirm: Locator;

  constructor(page: Page) {
    this.root = page.getByRole('dialog').filter({ hasText: 'Cancel bf_' });
    this.reason = this.root.getByLabel('Reason');
    this.typedId = this.root.getByLabel(/to confirm$/);
    this.keep = this.root.getByRole('button', { name: 'Keep it' });
    this.confirm = this.root.getByRole('button', { name: 'Cancel the backfill' });
  }
}

export class RaiseDialog {
  readonly root: Locator;
  readonly keep: Locator;
  readonly raise: Locator;

  constructor(page: Page) {
    this.root = page.getByRole('dialog', { name: 'Raise it above the safe rate?' });
    this.keep = this.root.getByRole('button', { name: 'Keep the present limit' });
    this.raise = this.root.getByRole('button', { name: 'Raise it all the same' });
  }
}
