import { Button } from '@mantine/core';
import styles from './page-footer.module.css';

/** Under one page of a list that is paged by a cursor: how many are on it, and the ways to others. Null: there is none. */
export function PageFooter({
  count,
  first,
  next,
}: {
  /** Of what is on the page, in words. */
  readonly count: string;
  readonly first: PageLink | null;
  readonly next: PageLink | null;
}) {
  return (
    <footer className={styles.footer}>
      <span>{count} on this page</span>
      <span className={styles.pager}>
        {first === null ? null : <PageButton {...first} />}
        {next === null ? null : <PageButton {...next} />}
      </span>
    </footer>
  );
}

interface PageLink {
  readonly word: string;
  readonly onGo: () => void;
}

function PageButton({ word, onGo }: PageLink) {
  return (
    <Button variant="default" onClick={onGo}>
      {word}
    </Button>
  );
}
