import { useEffect } from 'react';

let screen = '';
let mark = '';

/** Names the tab after the screen. */
export function useTitle(title: string): void {
  useEffect(() => {
    screen = title;
    write();
  }, [title]);
}

/** What has to be seen from another tab stands in front of its name. Empty: nothing. */
export function useTitleMark(word: string): void {
  useEffect(() => {
    mark = word;
    write();
    return () => {
      mark = '';
      write();
    };
  }, [word]);
}

function write(): void {
  document.title = [mark, screen, 'Spillway'].filter((part) => part !== '').join(' · ');
}
