/**
 * Where a probe may connect to. Admins define probes, and what they watch lives beside us: loopback and private addresses are
 * allowed. Link-local ones are not: there cloud providers hand out credentials to whoever asks.
 */
import type { LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { ProbeFailure } from './failure.ts';
import { lookUp } from './look-up.ts';

const refused = new BlockList();
refused.addSubnet('169.254.0.0', 16, 'ipv4');
refused.addSubnet('fe80::', 10, 'ipv6');
// The same service of one provider under its unique local address.
refused.addAddress('fd00:ec2::254', 'ipv6');

export const linkLocalSentence = 'link-local addresses are not probed';

/** `address`: an IP address, IPv6 without brackets. IPv4 addresses inside IPv6 ones are seen. */
export function isLinkLocal(address: string): boolean {
  const bare = address.split('%', 1)[0] ?? '';
  const version = isIP(bare);
  return version !== 0 && refused.check(bare, version === 6 ? 'ipv6' : 'ipv4');
}

/** Host of a URL as a name or an address: without the brackets of IPv6. */
export function bareHost(host: string): string {
  return host.startsWith('[') ? host.slice(1, -1) : host;
}

/**
 * Every address of a host, looked up once: the connection must go to one of these and to no later answer.
 * Errors: {@link ProbeFailure} when any is link-local; the signal's reason; whatever the look-up says.
 */
export async function resolveOnce(host: string, signal: AbortSignal): Promise<readonly LookupAddress[]> {
  const bare = bareHost(host);
  const version = isIP(bare);
  const addresses = version === 0 ? await lookUp(bare, signal) : [{ address: bare, family: version }];
  if (addresses.some(({ address }) => isLinkLocal(address))) throw new ProbeFailure(linkLocalSentence);
  return addresses;
}

/** What a connection to that host is given instead of a look-up of its own. */
export function pinnedTo(addresses: readonly LookupAddress[]): LookupFunction {
  return (_host, { all }, done) => {
    const [first] = addresses;
    if (all === true) done(null, [...addresses]);
    else done(null, first?.address ?? '', first?.family);
  };
}
