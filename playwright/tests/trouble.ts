/** What a test does to answers of the api on their way to the page. Nothing is made up: an answer is late, or it is the one an api gives that cannot answer. */
import type { Page } from '@playwright/test';

export interface Trouble {
  /** From here on the answers come as they are. */
  over(): Promise<void>;
}

const requestId = 'req_of_the_trouble';

/** Of the problem that {@link refuse} answers with: what a person is told, and what they are to quote. */
export const refusal = { detail: 'The control database does not answer just now.', requestId } as const;

/** The api answers this path as it does while its database is gone. */
export async function refuse(page: Page, path: RegExp): Promise<Trouble> {
  const matches = (url: URL) => path.test(url.pathname);
  await page.route(matches, (route) =>
    route.fulfill({
      status: 503,
      contentType: 'application/problem+json',
      body: JSON.stringify({
        type: 'about:blank',
        title: 'Unavailable',
        status: 503,
        detail: refusal.detail,
        code: 'unavailable',
        errors: [],
        requestId,
      }),
    }),
  );
  return { over: () => page.unroute(matches) };
}

/** The answers to this path wait until the trouble is over. */
export async function delay(page: Page, path: RegExp): Promise<Trouble> {
  const matches = (url: URL) => path.test(url.pathname);
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const held: Promise<void>[] = [];
  await page.route(matches, (route) => {
    const answered = released.then(() => route.continue());
    held.push(answered);
    return answered;
  });
  return {
    async over() {
      release();
      await Promise.all(held);
      await page.unroute(matches);
    },
  };
}
