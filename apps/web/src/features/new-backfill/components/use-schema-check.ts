import { useEffect, useState } from 'react';
import type { SchemaCheck } from '../model/draft.ts';

/** Null until it has been fetched, or when it cannot be: the server then says what is wrong. */
export function useSchemaCheck(): SchemaCheck | null {
  const [check, setCheck] = useState<SchemaCheck | null>(null);
  useEffect(() => {
    let gone = false;
    import('../model/schema-check.ts').then(
      ({ checkAgainstSchema }) => {
        if (!gone) setCheck(() => checkAgainstSchema);
      },
      () => {},
    );
    return () => {
      gone = true;
    };
  }, []);
  return check;
}
