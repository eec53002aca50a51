import { and, asc, eq, type InferSelectModel, isNull } from 'drizzle-orm';
import type { Database, Transaction } from '../database/database.ts';
import { pipelines } from '../database/schema.ts';
import { ProblemError } from '../problem-error.ts';

export type PipelineRow = InferSelectModel<typeof pipelines>;

/** Not removed. Whoever asks for pipelines other than by an id that is still theirs has to say so. */
export const isPresent = isNull(pipelines.removedAt);

/** What there is to be watched, governed and told of. */
export function presentPipelines(database: Database | Transaction): Promise<PipelineRow[]> {
  return database.select().from(pipelines).where(isPresent).orderBy(asc(pipelines.id));
}

/** `pointer`: where a body names it. One named in the path has none: nothing in the body is to blame. Errors: `unknown_pipeline`. */
export async function requirePipeline(
  database: Database | Transaction,
  id: string,
  pointer?: string,
): Promise<PipelineRow> {
  const [row] = await database
    .select()
    .from(pipelines)
    .where(and(eq(pipelines.id, id), isPresent));
  if (row === undefined) throw unknownPipeline(id, pointer);
  return row;
}

/** For what will refer to it: until the transaction has ended it is not removed. Errors: `unknown_pipeline`. */
export async function keepPipeline(tx: Transaction, id: string, pointer?: string): Promise<PipelineRow> {
  const [row] = await tx
    .select()
    .from(pipelines)
    .where(and(eq(pipelines.id, id), isPresent))
    .for('key share');
  if (row === undefined) throw unknownPipeline(id, pointer);
  return row;
}

export function unknownPipeline(id: string, pointer?: string): ProblemError {
  const detail = `There is no pipeline ${id}.`;
  return new ProblemError('unknown_pipeline', detail, pointer === undefined ? {} : { pointer });
}

/** Null: it is built in. */
export async function externalOf(
  database: Database | Transaction,
  pipelineId: string,
): Promise<PipelineRow['external']> {
  const [row] = await database
    .select({ external: pipelines.external })
    .from(pipelines)
    .where(eq(pipelines.id, pipelineId));
  return row?.external ?? null;
}

/** What asks for a store of ours is refused, and not answered with nothing. Errors: `pipeline_external`. */
export function requireOwnStore({ id, external }: Pick<PipelineRow, 'id' | 'external'>, what: string): void {
  if (external !== null)
    throw new ProblemError(
      'pipeline_external',
      `Pipeline ${id} has a store of its own, which Spillway does not see: there is no ${what} here.`,
    );
}
