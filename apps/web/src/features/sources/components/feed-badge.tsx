import type { Source } from '@spillway/shared/api/pipeline';
import { Badge } from '../../../components/badge.tsx';
import { feedLook } from '../model/source-look.ts';

/** How a source's live feed is, or that it has none. */
export function FeedBadge({ source }: { readonly source: Source }) {
  const { tone, icon, word } = feedLook(source);
  return (
    <Badge tone={tone} icon={icon} state={word.toLowerCase()}>
      {word}
    </Badge>
  );
}
