/**
 * Where a webhook may be sent. Messages are meant for other systems, so every address must be one of the public internet; loopback and
 * private ones are reached only where whoever installs Spillway has named the host. Link-local ones never: there cloud providers hand
 * out credentials, and no receiver lives there.
 */
import { isLinkLocal, isPublic, type OutboundGuard } from '../outbound/address.ts';
import { lookUps } from '../outbound/look-up.ts';

/** A dead name server holds up other webhooks, and no probe. */
const LOOK_UPS_AT_ONCE = 1;
const lookUp = lookUps(LOOK_UPS_AT_ONCE);

/** `named`: of the settings, `host` or `host:port`, lower case. */
export function isNamed(url: URL, named: readonly string[]): boolean {
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  return named.includes(url.hostname) || named.includes(`${url.hostname}:${port}`);
}

export function guardOf(url: URL, named: readonly string[]): OutboundGuard {
  const local = isNamed(url, named);
  return {
    lookUp,
    refuse: (address) => {
      if (isLinkLocal(address)) return 'link-local addresses get no webhooks';
      if (local || isPublic(address)) return null;
      return 'the address is loopback, private or reserved, and SPILLWAY_WEBHOOK_HOSTS does not name the host';
    },
  };
}
