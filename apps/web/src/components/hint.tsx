import {
  cloneElement,
  lazy,
  type PointerEvent,
  type ReactElement,
  type ReactNode,
  Suspense,
  useState,
} from 'react';
import { patiently } from '../lib/patiently.ts';

const Bubble = lazy(() =>
  patiently(() => import('./bubble.tsx')).then(({ Bubble }) => ({ default: Bubble })),
);

interface HintedProps {
  readonly onPointerEnter?: (event: PointerEvent<HTMLElement>) => void;
  readonly onPointerLeave?: () => void;
}

/**
 * Words that come up beside what the pointer rests on. Until it does there is nothing: placing a bubble takes more work than what it is about,
 * and a list has a hundred of them.
 */
export function Hint({
  label,
  children,
}: {
  readonly label: ReactNode;
  /** One element that passes what it is given on to the document. */
  readonly children: ReactElement<HintedProps>;
}) {
  const [target, setTarget] = useState<HTMLElement | null>(null);
  const [pointed, setPointed] = useState(false);
  return (
    <>
      {cloneElement(children, {
        onPointerEnter: ({ currentTarget, pointerType }) => {
          if (pointerType === 'touch') return;
          setTarget(currentTarget);
          setPointed(true);
        },
        onPointerLeave: () => setPointed(false),
      })}
      {target === null ? null : (
        <Suspense>
          <Bubble target={target} label={label} shown={pointed} />
        </Suspense>
      )}
    </>
  );
}
