import type { Page } from '@playwright/test';
import axe from 'axe-core';
import { expect } from './started.ts';

/** Rules whose answer depends on the colours: asked in light and in dark. All others look at what the two have in common. */
const ofColours = ['color-contrast', 'link-in-text-block'];

/** Holds the page as it stands, in light and in dark, against axe: all of it, or the open dialog, beside which nothing can be reached. */
export async function expectNoSeriousFinding(
  page: Page,
  screen: string,
  part: 'page' | 'dialog' = 'page',
): Promise<void> {
  const root = page.locator('html');
  const look = async (rules: 'all' | 'ofColours') => {
    const scheme = await root.getAttribute('data-mantine-color-scheme');
    // Once a document, and into this frame alone: it is half a megabyte of script.
    if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe.source);
    const found = await page.evaluate(findSerious, {
      selector: part === 'dialog' ? '[role="dialog"]' : null,
      only: rules === 'all' ? null : ofColours,
    });
    expect(found, `${screen}, ${scheme}`).toEqual([]);
    return scheme;
  };
  // Whichever it is in comes first: every change of all colours is work.
  const other = (await look('all')) === 'light' ? 'dark' : 'light';
  await page.emulateMedia({ colorScheme: other, reducedMotion: 'reduce' });
  await expect(root).toHaveAttribute('data-mantine-color-scheme', other);
  await look('ofColours');
}

interface Rule {
  readonly id: string;
  readonly impact: string;
  readonly enabled: boolean;
  readonly tags: readonly string[];
}

/**
 * Runs in the page. What a rule finds has the impact of the rule: those that could find nothing serious are not asked.
 * `only`: of these; null: of all that axe asks by itself.
 */
async function findSerious({
  selector,
  only,
}: {
  readonly selector: string | null;
  readonly only: readonly string[] | null;
}): Promise<string[]> {
  const { axe } = window as unknown as {
    axe: typeof import('axe-core') & { _audit: { rules: readonly Rule[]; tagExclude: readonly string[] } };
  };
  const rules = axe._audit.rules
    .filter(({ impact, enabled }) => enabled && (impact === 'serious' || impact === 'critical'))
    .filter(({ tags }) => !tags.some((tag) => axe._audit.tagExclude.includes(tag)))
    .map(({ id }) => id)
    .filter((id) => only === null || only.includes(id));
  if (rules.length < (only?.length ?? 50)) throw new Error(`axe knows only ${rules.length} of its rules`);
  const { violations } = await axe.run(selector ?? document, {
    runOnly: { type: 'rule', values: rules },
    resultTypes: ['violations'],
  });
  return violations.map(
    ({ id, help, nodes }) =>
      `${id}: ${help}: ${nodes.map(({ html, failureSummary }) => `${html.slice(0, 160)} ${failureSummary?.replaceAll('\n', ' ').slice(0, 200)}`).join(' | ')}`,
  );
}
