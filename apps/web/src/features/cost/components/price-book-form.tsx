import { Button, NativeSelect, NumberInput, SegmentedControl, TextInput } from '@mantine/core';
import type { PutPriceBook } from '@spillway/shared/api/cost';
import type { Pipeline } from '@spillway/shared/api/pipeline';
import { pricePresets } from '@spillway/shared/cost/presets';
import { type FormEvent, useState } from 'react';
import { Refusal } from '../../../components/refusal.tsx';
import { StaleEdit } from '../../../components/stale-edit.tsx';
import { ProblemError } from '../../../lib/http.ts';
import { useConfiguredBy, usePipelineEdit } from '../../pipeline/components/use-pipeline-edit.ts';
import { itemWords, priceNames, priceUnits, provisionWords, spendWords } from '../model/item-words.ts';
import {
  bookOfDraft,
  changesOfBook,
  draftOfBook,
  type PriceBookDraft,
  problemsOfBook,
  refusedFields,
  sameBook,
} from '../model/price-book-draft.ts';
import styles from './cost.module.css';

const presetNames = Object.keys(pricePresets) as (keyof typeof pricePresets)[];
const firstPreset: PutPriceBook = pricePresets['example-cloud'];

const provisionNotes = {
  cores: 'of the workers',
  storeOperationsPerSecond: 'reads and writes together',
  streamBytes: 'of all streams',
};

/** The whole book at once; refusals stand at the field they are about. */
export function PriceBookForm({
  pipeline,
  onDone,
}: {
  readonly pipeline: Pipeline;
  readonly onDone: () => void;
}) {
  // The draft belongs to the person: live updates never touch it.
  const [base] = useState(pipeline);
  const before = base.priceBook;
  const [draft, setDraft] = useState<PriceBookDraft>(() => draftOfBook(before ?? firstPreset));
  const server = usePipelineEdit((was, current) => {
    const [from, to] = [was.priceBook, current.priceBook];
    return to === null || (from !== null && sameBook(from, to)) ? [] : changesOfBook(from ?? firstPreset, to);
  }, onDone);
  const marker = useConfiguredBy(pipeline.id, true);
  const change = (part: Partial<PriceBookDraft>) => {
    setDraft((was) => ({ ...was, ...part }));
    if (server.refusal !== null) server.reset();
  };

  const book = bookOfDraft(draft);
  const own = problemsOfBook(book);
  const refused = server.refusal instanceof ProblemError ? refusedFields(server.refusal.problem.errors) : {};
  const problems: Readonly<Record<string, string>> = { ...refused, ...own };
  const ready = Object.keys(own).length === 0 && (before === null || !sameBook(before, book));
  const edit = { patch: { priceBook: book }, base };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (ready) server.save(edit);
  };
  return (
    <form className={styles.stack} onSubmit={submit} aria-label="Edit the price book">
      <NativeSelect
        label="Begin with an example"
        description="Round figures of their date, no vendor’s list: put in those of your own bill"
        data={[
          { value: '', label: 'Keep what is here' },
          ...presetNames.map((name) => ({ value: name, label: pricePresets[name].title })),
        ]}
        value=""
        onChange={(event) => {
          const name = presetNames.find((each) => each === event.currentTarget.value);
          if (name !== undefined)
            setDraft({ ...draftOfBook(pricePresets[name]), currency: before?.currency ?? 'USD' });
        }}
      />
      <div className={styles.prices}>
        <TextInput
          label="Title"
          value={draft.title}
          error={problems['/title']}
          onChange={(event) => change({ title: event.currentTarget.value })}
        />
        <TextInput
          label="Currency"
          maxLength={3}
          value={draft.currency}
          error={problems['/currency']}
          onChange={(event) => change({ currency: event.currentTarget.value })}
        />
      </div>
      <fieldset className={styles.group}>
        <legend className={styles.subtitle}>Prices, {draft.currency}</legend>
        <div className={styles.prices}>
          {priceNames.map((name) => {
            const [item, unit] = priceUnits[name];
            return (
              <TextInput
                key={name}
                label={itemWords[item]}
                description={unit}
                inputMode="decimal"
                autoComplete="off"
                value={draft.prices[name]}
                error={problems[`/prices/${name}`]}
                onChange={(event) =>
                  change({ prices: { ...draft.prices, [name]: event.currentTarget.value } })
                }
              />
            );
          })}
        </div>
      </fieldset>
      <fieldset className={styles.group}>
        <legend className={styles.subtitle}>Provisioned: paid for already, used or not</legend>
        <div className={styles.prices}>
          {(['cores', 'storeOperationsPerSecond', 'streamBytes'] as const).map((name) => (
            <NumberInput
              key={name}
              label={provisionWords[name][0]}
              description={provisionNotes[name]}
              suffix={` ${provisionWords[name][1]}`}
              thousandSeparator=","
              clampBehavior="none"
              value={draft.provisioned[name] ?? ''}
              error={problems[`/provisioned/${name}`]}
              onChange={(value) =>
                change({
                  provisioned: { ...draft.provisioned, [name]: typeof value === 'number' ? value : null },
                })
              }
            />
          ))}
        </div>
      </fieldset>
      <div>
        <p className={styles.subtitle} id="spend-counts">
          Budgets and spend per hour count
        </p>
        <SegmentedControl
          aria-labelledby="spend-counts"
          value={draft.spendCounts}
          onChange={(spendCounts) => change({ spendCounts: spendCounts as PriceBookDraft['spendCounts'] })}
          data={[
            { value: 'everything', label: 'Everything' },
            { value: 'overage', label: 'Overage only' },
          ]}
        />
        <p className={styles.soft}>That is: {spendWords[draft.spendCounts]}.</p>
      </div>
      <Refusal error={Object.keys(refused).length === 0 ? server.refusal : null} />
      <div className={styles.row}>
        <Button type="submit" disabled={!ready} loading={server.busy}>
          Save as version {(before?.version ?? 0) + 1}
        </Button>
        <Button variant="default" onClick={onDone}>
          Discard
        </Button>
      </div>
      {server.conflict === null ? null : (
        <StaleEdit
          what="this pipeline"
          by={marker}
          changes={server.conflict.changes}
          onMine={() => server.saveOver(edit)}
          onTheirs={onDone}
        />
      )}
    </form>
  );
}
