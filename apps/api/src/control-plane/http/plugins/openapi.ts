import swagger from '@fastify/swagger';
import { Problem, problemCodes } from '@spillway/shared/api/problem';
import { WebhookMessage } from '@spillway/shared/api/webhook';
import type { FastifyContextConfig } from 'fastify';
import { type TSchema, Type } from 'typebox';
import { version } from '../../../version.ts';
import type { App } from '../parts.ts';

const table = Object.entries(problemCodes)
  .map(([code, [status, title]]) => `| \`${code}\` | ${status} | ${title} |`)
  .join('\n');

const description = `Replay history into a realtime pipeline without causing a second outage.

Errors are RFC 9457 \`application/problem+json\`. Every \`code\`:

| code | status | meaning |
|---|---|---|
${table}`;

/** A tuple of the validator (draft 07) in the words of OpenAPI 3.1 (draft 2020-12). */
function asDraft2020(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asDraft2020);
  if (value === null || typeof value !== 'object') return value;
  const { additionalItems: _, ...node } = Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, asDraft2020(inner)]),
  );
  return Array.isArray(node['items']) ? { ...node, prefixItems: node['items'], items: false } : node;
}

/** Read by handlers, not by validation: only documented here. */
function headersOf(
  method: string,
  { access, keyed = method === 'POST' }: FastifyContextConfig,
): TSchema | null {
  if (method === 'PATCH')
    return Type.Object({ 'if-match': Type.String({ description: 'ETag of the resource as it was read' }) });
  if (!keyed || access === 'worker' || access === 'public') return null;
  return Type.Object({
    'idempotency-key': Type.Optional(
      Type.String({ maxLength: 200, description: 'for a day, the same key and body get the first answer' }),
    ),
  });
}

/** What receivers are sent: see `POST /v1/webhooks`. */
const messageOperation = {
  post: {
    tags: ['webhooks'],
    summary: 'A message to a webhook',
    security: [],
    parameters: ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => ({
      name,
      in: 'header',
      required: true,
      schema: { type: 'string' },
    })),
    requestBody: { required: true, content: { 'application/cloudevents+json': { schema: WebhookMessage } } },
    responses: { '2XX': { description: 'taken' } },
  },
};

/** OpenAPI 3.1, made from the schemas that validate. Each operation says who may call it and that it may answer with a problem. */
export async function openapi(app: App): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Spillway', version, description },
      components: {
        securitySchemes: {
          token: { type: 'http', scheme: 'bearer' },
          session: { type: 'apiKey', in: 'cookie', name: 'spillway_session' },
        },
      },
    },
    transform: ({ schema, url, route }) => {
      const access = route.config?.access;
      const responses = (schema?.response ?? {}) as Record<string, unknown>;
      const headers = headersOf(String(route.method), route.config ?? {});
      return {
        url,
        schema: {
          ...schema,
          ...(headers === null ? {} : { headers }),
          ...(access === 'public'
            ? { security: [] }
            : { security: access === 'worker' ? [{ token: [] }] : [{ token: [] }, { session: [] }] }),
          description: [schema?.description, `Access: ${access}.`].filter(Boolean).join('\n\n'),
          response: {
            ...(Object.keys(responses).length === 0
              ? { 200: { description: 'OK', type: 'string' } }
              : responses),
            default: { description: 'Problem', content: { 'application/problem+json': { schema: Problem } } },
          },
        } as never,
      };
    },
    transformObject: (document) => {
      const spec = ('openapiObject' in document ? document.openapiObject : {}) as {
        components?: { schemas?: Record<string, unknown> };
        webhooks?: Record<string, unknown>;
      };
      spec.webhooks = { message: messageOperation };
      spec.components ??= {};
      spec.components.schemas = {
        ...spec.components.schemas,
        ProblemCode: { type: 'string', enum: Object.keys(problemCodes) },
      };
      return asDraft2020(spec) as never;
    },
  });
}
