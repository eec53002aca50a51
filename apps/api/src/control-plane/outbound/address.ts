/**
 * Where a request that a user made us send may go. A host is looked up once, every address it has is checked, and the connection goes to
 * what was checked: what its name means a moment later does not matter.
 */
import type { LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { OutboundFailure } from './failure.ts';
import type { LookUp } from './look-up.ts';

/** Why an address may not be connected to, as the end of a sentence; null: it may. IPv6 comes without brackets. */
type Refuse = (address: string) => string | null;

/** Whose requests these are decides where they may go, and how many of their names are looked up at once. */
export interface OutboundGuard {
  readonly refuse: Refuse;
  readonly lookUp: LookUp;
}

const linkLocal = new BlockList();
linkLocal.addSubnet('169.254.0.0', 16, 'ipv4');
linkLocal.addSubnet('fe80::', 10, 'ipv6');
// The same service of one provider under its unique local address.
linkLocal.addAddress('fd00:ec2::254', 'ipv6');

/** There cloud providers hand out credentials to whoever asks. IPv4 addresses inside IPv6 ones are seen. */
export function isLinkLocal(address: string): boolean {
  return isIn(linkLocal, address);
}

/** Whatever is not one place of the public internet (RFC 6890 and its registries). */
const special = new BlockList();
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const)
  special.addSubnet(net, bits, 'ipv4');
for (const [net, bits] of [
  // Teredo and its neighbours, documentation, 6to4: each may stand for another address.
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  special.addSubnet(net, bits, 'ipv6');
/** Of IPv6 only this is given out; what is private, local, or a v4 address in disguise (NAT64) lies outside. */
const globalUnicast = new BlockList();
globalUnicast.addSubnet('2000::', 3, 'ipv6');
const mapped = new BlockList();
mapped.addSubnet('::ffff:0:0', 96, 'ipv6');

/** One place of the public internet: not loopback, link-local, private, multicast, or reserved. */
export function isPublic(address: string): boolean {
  if (isIP(address) === 0 || isIn(special, address)) return false;
  return isIP(address) === 4 || isIn(mapped, address) || isIn(globalUnicast, address);
}

/** Host of a URL as a name or an address: without the brackets of IPv6. */
export function bareHost(host: string): string {
  return host.startsWith('[') ? host.slice(1, -1) : host;
}

/**
 * Every address of a host, looked up once: the connection must go to one of these and to no later answer.
 * Errors: {@link OutboundFailure} when any is refused; the signal's reason; whatever the look-up says.
 */
export async function resolveOnce(
  host: string,
  { refuse, lookUp }: OutboundGuard,
  signal: AbortSignal,
): Promise<readonly LookupAddress[]> {
  const bare = bareHost(host);
  const version = isIP(bare);
  const addresses = version === 0 ? await lookUp(bare, signal) : [{ address: bare, family: version }];
  for (const { address } of addresses) {
    const why = refuse(address);
    if (why !== null) throw new OutboundFailure(why);
  }
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

function isIn(list: BlockList, address: string): boolean {
  const bare = address.split('%', 1)[0] ?? '';
  const version = isIP(bare);
  return version !== 0 && list.check(bare, version === 6 ? 'ipv6' : 'ipv4');
}
