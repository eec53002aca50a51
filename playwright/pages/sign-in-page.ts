import type { Locator, Page } from '@playwright/test';

export class SignInPage {
  readonly page: Page;
  readonly code: Locator;
  readonly submit: Locator;
  /** Why signing in did not work. */
  readonly refusal: Locator;

  constructor(page: Page) {
    this.page = page;
    this.code = page.getByLabel('Sign-in code');
    this.submit = page.getByRole('button', { name: 'Sign in' });
    this.refusal = page.getByRole('alert');
  }

  /** The address of the ready line, with its `#code=…`; done when the room is open. */
  async open(address: string): Promise<void> {
    await this.page.goto(address);
    await this.page.getByRole('navigation', { name: 'Screens' }).waitFor();
  }

  async signInWith(code: string): Promise<void> {
    await this.code.fill(code);
    await this.submit.click();
  }
}
