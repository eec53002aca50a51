import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, it, test } from 'vitest';
import { SettingsError } from '../../src/config.ts';
import {
  AddressInUseError,
  AddressMissingError,
  inWordsOfSettings,
  refuseTakenAddress,
} from '../../src/listen-address.ts';

const host = '127.0.0.1';

it('is refused while another process listens there, and good afterwards', async () => {
  const other = createServer().listen(0, host);
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const refused = await refuseTakenAddress({ host, port }, 0).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(AddressInUseError);
  expect((refused as Error).message).toMatch(`${host}:${port} is in use`);
  expect((refused as Error).message).toContain('SPILLWAY_PORT');
  // One that is about to leave is waited for.
  const good = refuseTakenAddress({ host, port });
  other.close();
  await good;
  await refuseTakenAddress({ host, port: 0 });
});

test.each([
  ['EACCES', 80, 'SPILLWAY_PORT 80', SettingsError],
  // An address that moves between machines may still come.
  ['EADDRNOTAVAIL', 80, 'SPILLWAY_HOST ::2', AddressMissingError],
  ['ENOTFOUND', 80, 'SPILLWAY_HOST ::2', AddressMissingError],
])('%s is said of the setting', (code, port, words, kind) => {
  const said = inWordsOfSettings(Object.assign(new Error('listen'), { code }), { host: '::2', port });
  expect(said).toBeInstanceOf(kind);
  expect((said as Error).message).toContain(words);
});

it('anything else stays what it is', () => {
  const fault = new TypeError('ours');
  expect(inWordsOfSettings(fault, { host, port: 1 })).toBe(fault);
});
