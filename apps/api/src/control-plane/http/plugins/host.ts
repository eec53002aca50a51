import type { AddressInfo } from 'node:net';
import { ProblemError } from '../../problem-error.ts';
import type { App, HttpSettings } from '../parts.ts';

/**
 * Exact `Host` values, port included, on every route. A page of another site whose name is made to point here (DNS rebinding)
 * sends its own name, and is refused before anything else is looked at.
 */
export function hostAllowlist(app: App, settings: HttpSettings): void {
  const named = new Set(settings.hosts.map((host) => host.toLowerCase()));
  let loopback: ReadonlySet<string> | null = null;
  app.addHook('onRequest', async (request) => {
    loopback ??= hostsOf(app.server.address());
    const host = request.headers.host?.toLowerCase() ?? '';
    if (!named.has(host) && !(loopback ?? unboundHosts).has(host)) {
      throw new ProblemError('host_rejected', 'This host name is not served here', { pointer: 'host' });
    }
  });
}

const names = ['127.0.0.1', 'localhost', '[::1]'];
/** While nothing listens (requests injected by tests). */
const unboundHosts = new Set(names.flatMap((name) => [name, `${name}:80`]));

/**
 * Known only once the server listens: port 0 means any free one. Besides the loopback names the very address it listens on: workers
 * of this machine come by it, and an address cannot be rebound.
 */
export function hostsOf(listens: AddressInfo | string | null): ReadonlySet<string> | null {
  if (listens === null || typeof listens === 'string') return null;
  const own = listens.family === 'IPv6' ? `[${listens.address}]` : listens.address;
  return new Set(
    [...names, own].flatMap((name) =>
      listens.port === 80 ? [name, `${name}:80`] : [`${name}:${listens.port}`],
    ),
  );
}
