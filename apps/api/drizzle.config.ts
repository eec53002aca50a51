import { defineConfig } from 'drizzle-kit';

/**
 * Control database only: `pnpm migrations:generate` compares the schema with drizzle/control and writes the next
 * file. The store's migrations (drizzle/store) are written by hand: partitions and functions are beyond drizzle-kit.
 */
export default defineConfig({
  dialect: 'postgresql',
  schema: './src/control-plane/database/schema.ts',
  out: '../../drizzle/control',
});
