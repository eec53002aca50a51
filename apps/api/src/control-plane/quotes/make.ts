/**
 * `POST /v1/quotes`: a dry run with a price. It is kept with what it rested on, so that a start can be held to it, until some time after it
 * has expired. It changes nothing that anybody else sees, and is therefore not in the audit; the start that names it is.
 */
import { randomUUID } from 'node:crypto';
import type { Quote, QuoteRequest } from '@spillway/shared/api/quote';
import { atomsOf } from '@spillway/shared/cost/money';
import { estimateOf } from '@spillway/shared/quote/estimate';
import { goalRefusals } from '@spillway/shared/quote/goal-refusals';
import { reckon } from '@spillway/shared/quote/quote';
import type { Goal } from '@spillway/shared/quote/solve';
import { limitsFor, planRequest } from '../backfill/request.ts';
import type { Actor, ControlContext } from '../context.ts';
import type { UnitOfWork } from '../database/database.ts';
import { quotes } from '../database/schema.ts';
import { ProblemError } from '../problem-error.ts';
import { basisOf, movingIn, quoteInputsOf, requestOf } from './assemble.ts';
import { readFacts } from './facts.ts';

/** Errors: those of a plan; `invalid_goal` with a pointer to each thing that makes no sense. */
export async function makeQuote(
  ctx: ControlContext,
  work: UnitOfWork,
  actor: Actor,
  body: QuoteRequest,
): Promise<Quote> {
  const { tx } = work;
  const planned = await planRequest(tx, body);
  const facts = await readFacts(ctx, tx, planned, limitsFor(body.limits, planned.plan));
  refuseSenseless(body, facts.priceBook?.currency ?? null, facts.nowMs);
  const inputs = quoteInputsOf(facts, goalOf(body, facts.nowMs));
  const reckoning = reckon(inputs);
  const id = `qt_${randomUUID().replaceAll('-', '').slice(0, 20)}`;
  const quote = { id, ...reckoning.quote };
  await tx.insert(quotes).values({
    id,
    pipelineId: body.pipelineId,
    request: requestOf(facts),
    limits: quote.limits,
    basis: { ...basisOf(facts), moving: movingIn(facts, inputs, quote) },
    estimate: estimateOf(reckoning, {
      quoteId: id,
      madeAt: new Date(facts.nowMs).toISOString(),
      late: false,
    }),
    createdBy: actor.name,
    createdAt: new Date(facts.nowMs),
    expiresAt: new Date(quote.expiresAt),
  });
  return quote;
}

function refuseSenseless(body: QuoteRequest, currency: string | null, nowMs: number): void {
  const errors = goalRefusals(body, currency, nowMs);
  const [first] = errors;
  if (first !== undefined) throw new ProblemError('invalid_goal', first.detail, { errors });
}

function goalOf({ finishBy, maxCost }: QuoteRequest, nowMs: number): Goal | null {
  if (finishBy !== undefined)
    return { kind: 'finish_by', withinSeconds: (Date.parse(finishBy) - nowMs) / 1000 };
  return maxCost === undefined ? null : { kind: 'max_cost', spend: atomsOf(maxCost) };
}
