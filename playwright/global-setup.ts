/** Playwright wants it as the default export of a file. */
export { setup as default } from '../apps/api/test/fixtures/database-templates.ts';
