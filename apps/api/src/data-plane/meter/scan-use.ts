import type { HistorySource, SourceScan } from '../ports.ts';
import type { Use } from './usage-ledger.ts';

/** What is read over the network leaves where it lies: that is egress, too. */
export function scanUse({ reach }: Pick<HistorySource, 'reach'>, { requests, bytes }: SourceScan): Use {
  return {
    sourceRequests: requests,
    sourceBytes: bytes,
    ...(reach === 'network' ? { egressBytes: bytes } : {}),
  };
}
