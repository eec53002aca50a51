import type { Backfill, PatchLimits } from '@spillway/shared/api/backfill';
import type { Money } from '@spillway/shared/api/primitives';
import { atomsOf, moneyOf, scaled } from '@spillway/shared/cost/money';
import { BackfillPage } from '../pages/backfill-page.ts';
import { CostPage } from '../pages/cost-page.ts';
import { NewBackfillPage } from '../pages/new-backfill-page.ts';
import { cancelAll, expect, startLong, stateOf, test, untilKnown } from './started.ts';

test.beforeEach(({ system }) => cancelAll(system));
test.afterEach(({ system }) => cancelAll(system));
test.setTimeout(240_000);

const amount = (text: string | null) => Number(/[\d.]+/.exec((text ?? '').replaceAll(',', ''))?.[0] ?? 'NaN');

test('the quote follows the slider, starts what it says, and the meter moves', async ({
  system,
  signedIn: page,
}) => {
  await untilKnown(system);
  const fresh = new NewBackfillPage(page);
  await fresh.open();
  await expect(fresh.quote).toContainText('Choose a window first');
  await fresh.from.fill('2001-02-05 00:00');
  await fresh.to.fill('2001-02-12 00:00');
  await fresh.limitBy('Rate');
  await fresh.rate.fill('500');
  await expect(fresh.figure('Rate')).toHaveText('500 events/s', { timeout: 15_000 });
  const slow = await fresh.figure('Takes, likely').textContent();
  const low = await fresh.figure('Peak on the stream').textContent();
  await expect(fresh.figure('Cost, likely')).toHaveText(/[\d.]+ [A-Z]{3}/);
  await expect(fresh.quote).toContainText(/Trim what is applied every .*keeps at least [\d,]+ entries/);

  await expect(fresh.quote.getByRole('img', { name: /^Finish, cost/ })).toContainText(
    'Peak on the stream, entries',
  );

  await fresh.rateSlider.focus();
  for (let presses = 0; presses < 4; presses += 1) await page.keyboard.press('PageUp');
  await expect(fresh.figure('Rate')).not.toHaveText('500 events/s');
  await expect(fresh.figure('Takes, likely')).not.toHaveText(slow ?? '');
  await expect(fresh.figure('Peak on the stream')).not.toHaveText(low ?? '');
  expect(amount(await fresh.rate.inputValue())).toBeGreaterThan(500);

  await fresh.rate.fill('300');
  await expect(fresh.figure('Rate')).toHaveText('300 events/s');
  // Nobody of this system is tagged so: it is said before the start, in the words of a backfill that waits.
  const waits = 'waits for a worker: it asks for isolated workers';
  await fresh.isolated.check();
  await expect(fresh.quote).toContainText(waits);
  await fresh.isolated.uncheck();
  await expect(fresh.quote).not.toContainText(waits);
  await fresh.reason.fill('browser test');
  const [answer] = await Promise.all([
    page.waitForResponse((one) => one.url().endsWith('/v1/backfills') && one.request().method() === 'POST'),
    fresh.start.click(),
  ]);
  expect(answer.status()).toBe(201);
  expect(answer.request().postDataJSON().quoteId).toMatch(/^qt_/);
  const { id } = await answer.json();

  const backfill = new BackfillPage(page);
  await expect(backfill.costFigure('Estimated at the start')).toHaveText(/[\d.]+ [A-Z]{3}/);
  await expect(backfill.costFigure('Spent until now')).toHaveText(/[\d.]+ [A-Z]{3}/, { timeout: 30_000 });
  const spent = async () => amount(await backfill.costFigure('Spent until now').textContent());
  await expect.poll(spent, { timeout: 30_000 }).toBeGreaterThan(0);
  const before = await spent();
  await expect.poll(spent, { timeout: 30_000 }).toBeGreaterThan(before);
  await expect(page.getByText(/Write-ahead log: [\d.,]+ (B|kB|KiB|MB|MiB)/)).toBeVisible();

  const cost = new CostPage(page);
  await cost.open();
  await expect(cost.row(id)).toContainText('Running');
  await expect(cost.spendPerHour).toContainText(/[\d.]+ [A-Z]{3}/, { timeout: 90_000 });
});

test('a goal is solved to a rate, an impossible one to the nearest', async ({ system, signedIn: page }) => {
  await untilKnown(system);
  const fresh = new NewBackfillPage(page);
  await fresh.open();
  await fresh.from.fill('2001-02-05 00:00');
  await fresh.to.fill('2001-03-05 00:00');
  await fresh.limitBy('Finish by');
  await fresh.page.getByRole('button', { name: 'In 8 h' }).click();
  await expect(fresh.quote).toContainText(/Met at [\d,]+ events\/s/, { timeout: 30_000 });
  await expect(fresh.start).toBeEnabled();
  await fresh.limitBy('At most');
  await expect(fresh.start).toBeDisabled();
  await fresh.page.getByRole('textbox', { name: 'At most' }).fill('0.000001');
  await expect(fresh.quote).toContainText(/Impossible\. The nearest: [\d,]+ events\/s/);
});

test('a quote that has drifted is told, and quoted again in one click', async ({
  system,
  signedIn: page,
}) => {
  await untilKnown(system);
  const fresh = new NewBackfillPage(page);
  await fresh.open();
  await fresh.from.fill('2001-02-05 00:00');
  await fresh.to.fill('2001-02-06 00:00');
  await fresh.limitBy('Rate');
  await fresh.rate.fill('300');
  await expect(fresh.figure('Rate')).toHaveText('300 events/s', { timeout: 15_000 });
  const { id } = await startLong(system);
  await fresh.start.click();
  const notice = page.getByRole('alert').filter({ hasText: 'has changed' });
  await expect(notice).toContainText(id);
  await fresh.quoteAgain.click();
  await expect(notice).toBeHidden();
  await expect(fresh.quote).toContainText(`Overlaps: ${id}`);
  await fresh.start.click();
  await expect(page).toHaveURL(/\/backfills\/bf_/);
});

test('a budget that is hit pauses, and raising it resumes', async ({ system, signedIn: page }) => {
  const { id } = await startLong(system, { limits: { eventsPerSecond: 1_000 } });
  const running = async () => (await system.call('GET', `/v1/backfills/${id}`)).body as Backfill;
  const limit = async (limits: PatchLimits) => {
    const { headers } = await system.call('GET', `/v1/backfills/${id}`);
    const limited = await system.call('PATCH', `/v1/backfills/${id}/limits`, limits, {
      'if-match': headers.get('etag') ?? '',
    });
    expect(limited.status, JSON.stringify(limited.body)).toBe(202);
  };
  await expect
    .poll(async () => (await running()).progress.eventsApplied, { timeout: 60_000 })
    .toBeGreaterThan(5_000);
  // Near its budget it goes the slower the less is left, for as long as the rest lasts. How it does is the governor's to show; here it is to be hit.
  // So it goes slowly before, and little more is paid for than what it has really spent: a quote without a finished run to learn from may be six times off.
  await limit({ eventsPerSecond: 100 });
  await expect
    .poll(async () => (await running()).progress.publishedEventsPerSecond, { timeout: 30_000 })
    .toBeLessThan(150);
  const spend = (await running()).cost?.metered?.spend as Money;
  await limit({ budget: moneyOf(scaled(atomsOf(spend), 1.3), spend.currency) });
  const backfill = new BackfillPage(page);
  await backfill.open(id);
  await expect(backfill.state).toHaveText('Paused', { timeout: 90_000 });
  await expect(backfill.cost).toContainText('Spent: replay is paused');
  // Resuming would lift nothing: what does is one click away.
  await expect(backfill.resume).toHaveCount(0);
  await expect(page.getByRole('main')).not.toContainText('nearly spent');
  await backfill.raiseBudget.click();
  await expect(backfill.budget).toBeFocused();
  await expect(backfill.cost.getByRole('progressbar', { name: 'Spent of the budget' })).toBeVisible();
  const { cost } = (await system.call('GET', `/v1/backfills/${id}`)).body as Backfill;
  expect(cost?.budget?.part).toBeLessThanOrEqual(1.01);

  // While it stands still the page has the very numbers of the answer: what it comes to, and what its rows were.
  await expect(async () => {
    const { cost: told } = (await system.call('GET', `/v1/backfills/${id}`)).body as Backfill;
    const { rowsAttempted, rowsInserted, rowsNoop } = told?.metered?.writeAmplification ?? {};
    expect(rowsInserted).toBeGreaterThan(5_000);
    for (const [title, rows] of [
      ['Attempted', rowsAttempted],
      ['Inserted', rowsInserted],
      ['No-op: there already', rowsNoop],
    ] as const)
      await expect(backfill.rowsOf(title)).toContainText(`${rows?.toLocaleString('en')} rows`, {
        timeout: 500,
      });
    const likely = Number(told?.forecast?.likely.amount);
    expect(likely).toBeGreaterThan(amount(await backfill.costFigure('Spent until now').textContent()));
    const shown = amount(await backfill.costFigure('At completion, likely').textContent());
    expect(Math.abs(shown / likely - 1), `${shown} shown of ${likely}`).toBeLessThan(0.01);
  }).toPass({ timeout: 20_000 });

  await backfill.budget.fill('5.00');
  await backfill.setBudget.click();
  await expect.poll(() => stateOf(system, id), { timeout: 30_000 }).toMatch(/running|verifying|completed/);
  await expect(backfill.cost).toContainText('of 5.00');
});

test('what is being written into the price book stays there when the meter answers after all', async ({
  signedIn: page,
}) => {
  const meter = '**/v1/pipelines/flights/cost';
  await page.route(meter, (route) => route.abort());
  const cost = new CostPage(page);
  await cost.open();
  await cost.edit.click();
  await cost.price('Write-ahead log').fill('0.23');
  await page.unroute(meter);
  await page.getByRole('main').getByRole('button', { name: 'Try again' }).click();
  await expect(cost.backfills).toBeVisible();
  await expect(cost.price('Write-ahead log')).toHaveValue('0.23');
});

test('an admin edits the price book in place; an operator reads it', async ({
  system,
  signedIn: page,
  browser,
}) => {
  const before = (await system.call('GET', '/v1/pipelines/flights')).body.priceBook;
  const cost = new CostPage(page);
  await cost.open();
  await expect(cost.priceBook).toContainText('Example prices of');
  await cost.edit.click();
  await cost.price('Write-ahead log').fill('-1');
  await expect(cost.priceBook).toContainText('A price cannot be negative.');
  await expect(cost.save).toBeDisabled();
  await cost.price('Write-ahead log').fill('0.17');
  await cost.save.click();
  await expect(cost.priceBook).toContainText(`Version ${before.version + 1}`);
  await expect(cost.priceBook).toContainText('0.17');
  await expect(cost.priceBook).not.toContainText('Example prices of');

  const { body: made } = await system.call('POST', '/v1/tokens', {
    name: 'operator of a test',
    role: 'operator',
  });
  const context = await browser.newContext({
    baseURL: system.url,
    extraHTTPHeaders: { authorization: `Bearer ${made.token}` },
  });
  const theirs = new CostPage(await context.newPage());
  await theirs.open();
  await expect(theirs.priceBook).toContainText('0.17');
  await expect(theirs.edit).toBeHidden();
  const refused = await context.request.patch(`${system.url}/v1/pipelines/flights`, {
    data: {
      priceBook: {
        title: 'mine',
        currency: before.currency,
        prices: before.prices,
        provisioned: before.provisioned,
        spendCounts: before.spendCounts,
      },
    },
    headers: { 'if-match': '*' },
  });
  expect(refused.status()).toBe(403);
  await context.close();
});
