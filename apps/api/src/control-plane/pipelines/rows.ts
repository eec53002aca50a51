import { eq, type InferSelectModel } from 'drizzle-orm';
import type { Database, Transaction } from '../database/database.ts';
import { pipelines } from '../database/schema.ts';
import { ProblemError } from '../problem-error.ts';

export type PipelineRow = InferSelectModel<typeof pipelines>;

/** Errors: `unknown_pipeline`. */
export async function requirePipeline(database: Database | Transaction, id: string): Promise<PipelineRow> {
  const [row] = await database.select().from(pipelines).where(eq(pipelines.id, id));
  if (row === undefined) throw unknownPipeline(id);
  return row;
}

/** Named in the path: nothing in the body is to blame. */
export function unknownPipeline(id: string): ProblemError {
  return new ProblemError('unknown_pipeline', `There is no pipeline ${id}.`);
}
