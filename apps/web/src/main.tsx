import './app/base.css';
import '@mantine/core/styles/baseline.layer.css';
import '@mantine/core/styles/default-css-variables.layer.css';
import '@mantine/core/styles/global.layer.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { assemble, Providers } from './app/providers.tsx';
import { takeCodeFromAddress } from './features/session/model/address-code.ts';

const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? '';
// The scroll lock under dialogs makes a style element by itself and looks for the nonce in this name.
(globalThis as { __webpack_nonce__?: string }).__webpack_nonce__ = nonce;

takeCodeFromAddress();

/** One picture that is made once is sooner there than an empty one and then another. Whoever waits longer than this sees that it is loading. */
const FIRST_PICTURE_MS = 1_000;

const parts = assemble();
// What fails is in the router's state, and shown.
const loaded = parts.router.load().catch(() => {});
await Promise.race([loaded, new Promise((resolve) => setTimeout(resolve, FIRST_PICTURE_MS))]);

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root');
createRoot(root).render(
  <StrictMode>
    <Providers {...parts} nonce={nonce} />
  </StrictMode>,
);
