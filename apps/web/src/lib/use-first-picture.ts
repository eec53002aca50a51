import { useEffect, useState } from 'react';

let first = true;

/** Whether a component belongs to the first picture that the page makes of anything. Stays what it was for as long as it is mounted. */
export function useFirstPicture(): boolean {
  const [was] = useState(first);
  useEffect(() => {
    first = false;
  }, []);
  return was;
}
