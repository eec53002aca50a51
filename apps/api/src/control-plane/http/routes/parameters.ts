import { Id, PageQuery, strict } from '@spillway/shared/api/primitives';
import { Type } from 'typebox';

export const ById = Type.Object({ id: Id }, strict);
export const ListQuery = Type.Object({ ...PageQuery }, strict);
