import { isLinkLocal, type OutboundGuard } from '../outbound/address.ts';
import { lookUps } from '../outbound/look-up.ts';

const LOOK_UPS_AT_ONCE = 2;

/**
 * Where a probe may connect to. Admins define probes, and what they watch lives beside us: loopback and private addresses are
 * allowed. Link-local ones are not: there cloud providers hand out credentials to whoever asks.
 */
export const probeGuard: OutboundGuard = {
  refuse: (address) => (isLinkLocal(address) ? 'link-local addresses are not probed' : null),
  lookUp: lookUps(LOOK_UPS_AT_ONCE),
};
