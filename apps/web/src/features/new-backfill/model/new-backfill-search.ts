import { isoInstant } from '../../../lib/instant.ts';
import { namedPipeline } from '../../pipeline/model/named-pipeline.ts';
import type { Span } from './brush.ts';

/** A window and sources carried in the URL, so that a hole can be linked to. */
export interface NewBackfillSearch {
  readonly pipeline?: string;
  readonly from?: string;
  readonly to?: string;
}

export function parseNewBackfillSearch(search: Readonly<Record<string, unknown>>): NewBackfillSearch {
  const text = (name: string) => (typeof search[name] === 'string' ? search[name] : undefined);
  const time = (name: string) => {
    const value = text(name);
    return value !== undefined && !Number.isNaN(Date.parse(value)) ? value : undefined;
  };
  const from = time('from');
  const to = time('to');
  return {
    ...namedPipeline(search),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  };
}

/** Null: the address names none, or what it names is no window. The router hands on what its schema leaves out as it was written. */
export function linkedWindow({ from, to }: Readonly<Record<string, unknown>>): Span | null {
  if (typeof from !== 'string' || typeof to !== 'string') return null;
  const [fromMs, toMs] = [Date.parse(from), Date.parse(to)];
  return Number.isNaN(fromMs) || Number.isNaN(toMs) ? null : { fromMs, toMs };
}

/** Of what was chosen: it is there after a reload, on the way back, and for whoever is sent the address. */
export function searchOfWindow({ fromMs, toMs }: Span): Pick<NewBackfillSearch, 'from' | 'to'> {
  return { from: isoInstant(fromMs), to: isoInstant(toMs) };
}
