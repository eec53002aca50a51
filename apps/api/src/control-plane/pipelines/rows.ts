import { eq, type InferSelectModel } from 'drizzle-orm';
import type { Database, Transaction } from '../database/database.ts';
import { pipelines } from '../database/schema.ts';
import { ProblemError } from '../problem-error.ts';

export type PipelineRow = InferSelectModel<typeof pipelines>;

/** `pointer`: where a body names it. One named in the path has none: nothing in the body is to blame. Errors: `unknown_pipeline`. */
export async function requirePipeline(
  database: Database | Transaction,
  id: string,
  pointer?: string,
): Promise<PipelineRow> {
  const [row] = await database.select().from(pipelines).where(eq(pipelines.id, id));
  if (row === undefined) throw unknownPipeline(id, pointer);
  return row;
}

export function unknownPipeline(id: string, pointer?: string): ProblemError {
  const detail = `There is no pipeline ${id}.`;
  return new ProblemError('unknown_pipeline', detail, pointer === undefined ? {} : { pointer });
}
