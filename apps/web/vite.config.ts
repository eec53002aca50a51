import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { compress } from './build/compress.ts';
import { mantineStyles } from './build/mantine-styles.ts';
import { scriptBudget } from './build/script-budget.ts';

/** In development the page comes from Vite and everything else from a running api. */
const api = 'http://127.0.0.1:7878';

export default defineConfig({
  plugins: [
    react(),
    mantineStyles(),
    scriptBudget({ screens: /\/src\/pages\/([a-z-]+)\.tsx$/, maxGzipBytes: 250_000 }),
    compress(),
  ],
  build: {
    target: 'es2023',
    // The content security policy has no `data:` for scripts and styles, and small files are cheap on one connection.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The script budget above is the one that counts.
    chunkSizeWarningLimit: 1_000,
    // What every screen needs is one file: it compresses better than a dozen, whatever else is shared by screens fetched later.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'initial', tags: ['$initial'] }] } } },
  },
  server: {
    proxy: { '/v1': api, '/docs': api, '/openapi.json': api },
  },
});
