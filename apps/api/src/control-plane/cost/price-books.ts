/** The price books of a pipeline, in versions: a change is a new one, and what began under an older one is priced by that to its end. */
import { isDeepStrictEqual } from 'node:util';
import type { PriceBook, PutPriceBook } from '@spillway/shared/api/cost';
import { PRESETS_DATED, pricePresets } from '@spillway/shared/cost/presets';
import { priceBookRefusals } from '@spillway/shared/cost/price-book';
import { and, desc, eq, sql } from 'drizzle-orm';
import type { Database, Transaction } from '../database/database.ts';
import { priceBooks } from '../database/schema.ts';
import { ProblemError } from '../problem-error.ts';

type Row = typeof priceBooks.$inferSelect;

/** The one in force; null: there is none. */
export async function currentPriceBook(
  database: Database | Transaction,
  pipelineId: string,
): Promise<PriceBook | null> {
  const [row] = await database
    .select()
    .from(priceBooks)
    .where(eq(priceBooks.pipelineId, pipelineId))
    .orderBy(desc(priceBooks.version))
    .limit(1);
  return row === undefined ? null : toPriceBook(row);
}

/** Every version, the oldest first. */
export async function priceBooksOf(
  database: Database | Transaction,
  pipelineId: string,
): Promise<PriceBook[]> {
  const rows = await database
    .select()
    .from(priceBooks)
    .where(eq(priceBooks.pipelineId, pipelineId))
    .orderBy(priceBooks.version);
  return rows.map(toPriceBook);
}

/**
 * The next version. The caller has locked the pipeline.
 * Errors: `invalid_request`, with a pointer to every fault.
 */
export async function putPriceBook(
  tx: Transaction,
  pipelineId: string,
  book: PutPriceBook,
  by: string,
): Promise<PriceBook> {
  const before = await currentPriceBook(tx, pipelineId);
  const refusals = priceBookRefusals(book);
  const [first] = refusals;
  if (first !== undefined)
    throw new ProblemError('invalid_request', `The price book cannot be used: ${first.detail}`, {
      errors: refusals.map(({ pointer, detail }) => ({ pointer: `/priceBook${pointer}`, detail })),
    });
  const isExample = Object.values(pricePresets).some((preset) => isDeepStrictEqual(preset, book));
  const [row] = await tx
    .insert(priceBooks)
    .values({
      pipelineId,
      version: (before?.version ?? 0) + 1,
      ...book,
      exampleOf: isExample ? PRESETS_DATED : null,
      changedBy: by,
      changedAt: sql`clock_timestamp()`,
    })
    .returning();
  return toPriceBook(row as Row);
}

/** The pipeline's first book, unless it has one. */
export async function seedPriceBook(
  tx: Transaction,
  pipelineId: string,
  preset: keyof typeof pricePresets,
  by: string,
): Promise<void> {
  const [known] = await tx
    .select({ version: priceBooks.version })
    .from(priceBooks)
    .where(and(eq(priceBooks.pipelineId, pipelineId), eq(priceBooks.version, 1)));
  if (known === undefined) await putPriceBook(tx, pipelineId, pricePresets[preset], by);
}

function toPriceBook({ pipelineId: _, changedAt, ...book }: Row): PriceBook {
  return { ...book, changedAt: changedAt.toISOString() };
}
