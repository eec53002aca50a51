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
  const pipeline = text('pipeline');
  const from = time('from');
  const to = time('to');
  return {
    ...(pipeline === undefined ? {} : { pipeline }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  };
}
