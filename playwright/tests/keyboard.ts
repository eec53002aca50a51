import type { Locator, Page } from '@playwright/test';
import { focusPlace } from './focus.ts';
import { expect } from './started.ts';

/** More presses of Tab than any screen has stops. */
const MOST_STOPS = 120;

/** Somebody without a mouse: after whatever they press the focus has to be somewhere, and to be seen there. */
export class Keyboard {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  async press(...keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      await this.page.keyboard.press(key);
      await this.expectFocusSeen(key);
    }
  }

  /** Into what has the focus, in the place of what it says. */
  async write(text: string): Promise<void> {
    await this.page.keyboard.press('ControlOrMeta+a');
    await this.page.keyboard.type(text);
    await this.expectFocusSeen(text);
  }

  /** Presses Tab until it has the focus. */
  async tabTo(target: Locator): Promise<void> {
    await this.#walkTo(target, 'Tab');
  }

  async tabBackTo(target: Locator): Promise<void> {
    await this.#walkTo(target, 'Shift+Tab');
  }

  /** A sequence such as `g b`, until it has shown its effect: the second key has to follow within a second, which a busy machine may miss. */
  async go(keys: string, effect: Locator): Promise<void> {
    await expect(async () => {
      for (const key of keys.split(' ')) await this.page.keyboard.press(key);
      await expect(effect).toBeVisible({ timeout: 2_000 });
    }).toPass({ timeout: 20_000 });
    await this.expectFocusSeen(keys);
  }

  /** Polls: what goes away hands the focus on in the same moment, a dialog that closes some frames later. */
  async expectFocusSeen(after: string): Promise<void> {
    await expect
      .poll(async () => (await focusPlace(this.page)).wrong, {
        message: `the focus after ${after}`,
        timeout: 3_000,
      })
      .toBeNull();
  }

  /** Goes round in a dialog and never leaves it. */
  async expectTrapped(dialog: Locator, presses = 12): Promise<void> {
    for (let n = 0; n < presses; n += 1) {
      await this.press(n % 4 === 3 ? 'Shift+Tab' : 'Tab');
      await expect(dialog.locator(':focus')).toHaveCount(1);
    }
  }

  async #walkTo(target: Locator, key: string): Promise<void> {
    await expect(target).toBeAttached();
    for (let n = 0; n < MOST_STOPS; n += 1) {
      if (await target.evaluate((element) => element === document.activeElement)) return;
      await this.press(key);
    }
    const { place } = await focusPlace(this.page);
    throw new Error(`${key} never came to ${target}; it is at ${place}`);
  }
}
