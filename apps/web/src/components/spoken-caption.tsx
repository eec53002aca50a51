import { VisuallyHidden } from '@mantine/core';
import type { ReactNode } from 'react';

/** What a table is about, for whoever hears it: whoever sees it has read it above. */
export function SpokenCaption({ children }: { readonly children: ReactNode }) {
  return (
    <caption>
      <VisuallyHidden>{children}</VisuallyHidden>
    </caption>
  );
}
