import type { Locator, Page } from '@playwright/test';

type ScreenName = 'Now' | 'Pipeline' | 'Streams' | 'Backfills' | 'Cost' | 'Readiness';

/** What stands around every screen. */
export class Room {
  readonly page: Page;
  readonly navigation: Locator;
  readonly dataAge: Locator;
  readonly paletteButton: Locator;
  readonly palette: Locator;
  readonly accountMenu: Locator;
  readonly keysHelp: Locator;

  constructor(page: Page) {
    this.page = page;
    this.navigation = page.getByRole('navigation', { name: 'Screens' });
    this.dataAge = page.getByTestId('data-age');
    this.paletteButton = page.getByRole('button', { name: 'Open the command palette' });
    this.palette = page.getByRole('textbox', { name: 'Find anything' });
    this.accountMenu = page.getByRole('button', { name: 'Account and appearance' });
    this.keysHelp = page.getByRole('dialog', { name: 'Keys' });
  }

  async goTo(screen: ScreenName): Promise<void> {
    await this.screen(screen).click();
  }

  /** The way there. */
  screen(name: ScreenName): Locator {
    return this.navigation.getByRole('link', { name });
  }

  /** The message that offers to take something back. */
  undo(title: string | RegExp): Locator {
    return this.page.getByRole('alert').filter({ hasText: title }).getByRole('button', { name: 'Undo' });
  }
}
