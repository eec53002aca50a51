import { VisuallyHidden } from '@mantine/core';
import type { ReadinessItem } from '@spillway/shared/api/readiness';
import { IconArrowRight } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { Fragment } from 'react';
import { evidenceParts, placeOf, placeWords } from '../model/readiness-words.ts';
import { AnswerBadge } from './answer-badge.tsx';
import styles from './readiness.module.css';

/** Questions with their answers and what they rest on. What is not a yes carries weight; nothing moves when an answer changes. */
export function ReadinessList({ items }: { readonly items: readonly ReadinessItem[] }) {
  return (
    <ul className={styles.list}>
      {items.map((item) => (
        <li key={item.id} id={item.id} className={styles.item} data-answer={item.answer}>
          <AnswerBadge answer={item.answer} />
          <div className={styles.what}>
            <h3 className={styles.question}>{item.question}</h3>
            <p className={styles.evidence}>
              <Evidence item={item} />
            </p>
          </div>
        </li>
      ))}
    </ul>
  );
}

/** What an answer rests on, and where it is changed. */
export function Evidence({ item }: { readonly item: ReadinessItem }) {
  return (
    <>
      {evidenceParts(item.evidence).map(({ text, code }) =>
        code ? <code key={text}>{text}</code> : <Fragment key={text}>{text}</Fragment>,
      )}{' '}
      <PlaceLink item={item} />
    </>
  );
}

function PlaceLink({ item: { id, setting, question } }: { readonly item: ReadinessItem }) {
  if (setting === null) return null;
  const { to, search, hash } = placeOf(setting);
  return (
    <Link to={to} search={search} {...(hash === '' ? {} : { hash })} className={styles.place}>
      {placeWords[id]}
      <IconArrowRight aria-hidden size={15} />
      <VisuallyHidden>, where this is changed: {question}</VisuallyHidden>
    </Link>
  );
}
