import { StartBackfill } from '@spillway/shared/api/backfill';
import { Value } from 'typebox/value';
import type { SchemaCheck } from './draft.ts';

/** The very schema that the server validates with. Fetched after the form is shown: it weighs as much as the form. */
export const checkAgainstSchema: SchemaCheck = (body) =>
  Value.Errors(StartBackfill, body).map(({ instancePath, message }) => ({
    pointer: instancePath,
    detail: message,
  }));
