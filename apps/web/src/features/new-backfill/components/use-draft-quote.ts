import { useDebouncedValue } from '@mantine/hooks';
import type { Source } from '@spillway/shared/api/pipeline';
import type { Quote, QuoteRequest } from '@spillway/shared/api/quote';
import { useQuery } from '@tanstack/react-query';
import { quoteQuery } from '../../quote/api/get-quote.ts';
import { workersQuery } from '../../workers/api/list-workers.ts';
import { readable } from '../../workers/model/readable.ts';

const restMs = 250;

interface DraftQuote {
  /** The newest there is, also while it is of an earlier draft. */
  readonly quote: Quote | undefined;
  /** The one of this very draft; null: not (yet) there. */
  readonly current: Quote | null;
  readonly waiting: boolean;
  readonly error: unknown;
  readonly again: () => void;
}

/** Follows the draft: asked when it rests, not at every step a slider passes. Null: there is nothing to quote. */
export function useDraftQuote(body: QuoteRequest | null, sources: readonly Source[]): DraftQuote {
  const text = JSON.stringify(body);
  const [rested] = useDebouncedValue(text, restMs);
  const asked = JSON.parse(rested) as QuoteRequest | null;
  const { data: workers } = useQuery(workersQuery);
  const query = useQuery(
    quoteQuery(
      asked,
      sources.map(({ events }) => events),
      workers === undefined || readable(workers, asked?.isolated ?? false),
    ),
  );
  const isOfDraft = rested === text && !query.isPlaceholderData && !query.isFetching;
  const quote = body === null ? undefined : query.data;
  return {
    quote,
    current: isOfDraft && quote !== undefined && !query.isError ? quote : null,
    waiting: body !== null && (rested !== text || query.isFetching),
    error: rested === text ? query.error : null,
    again: () => void query.refetch(),
  };
}
