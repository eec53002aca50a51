import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { ExternalDefinition } from '@spillway/shared/api/external';
import type { ProblemCode } from '@spillway/shared/api/problem';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { Attempts } from '../access/attempts.ts';
import type { Directory } from '../access/directory.ts';
import type { AccessLevel, Principal } from '../access/principal.ts';
import type { ControlContext } from '../context.ts';
import type { ExternalComplaint } from '../pipelines/external.ts';
import type { WebhookRunner } from '../webhooks/runner.ts';
import type { ControlMetrics } from './metrics.ts';
import type { EventStream } from './sse/event-stream.ts';

export interface HttpSettings {
  readonly adminToken: string;
  /** Null: no worker may join. */
  readonly workerToken: string | null;
  /** `Host` values served besides the loopback names of the port listened on, e.g. `spillway.example.com`. */
  readonly hosts: readonly string[];
  /** Addresses whose `X-Forwarded-For` and `-Proto` are believed. */
  readonly trustedProxies: readonly string[];
  /** Hosts of this network that webhooks may be sent to. */
  readonly webhookHosts: readonly string[];
  /** Folders that files of history may be read from. */
  readonly sourceDirs: readonly string[];
  /** Built control room; null: none is served. */
  readonly webDirectory: string | null;
}

/** What the routes are given. */
export interface HttpParts {
  readonly ctx: ControlContext;
  readonly settings: HttpSettings;
  readonly directory: Directory;
  readonly attempts: Attempts;
  readonly events: EventStream;
  readonly metrics: ControlMetrics;
  readonly webhooks: Pick<WebhookRunner, 'tryNow'>;
  /** Looks at the user's server; null: it can be published to and watched. */
  readonly complaintAboutExternal: (definition: ExternalDefinition) => Promise<ExternalComplaint | null>;
}

export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

export interface ListedRoute {
  readonly method: string;
  readonly url: string;
  readonly access: AccessLevel;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call the route. One without it is refused when it is registered. */
    access?: AccessLevel;
    /** A missing body counts as `{}`. */
    bodyOptional?: boolean;
    /** Takes an `Idempotency-Key`. Unless it says so, a POST does, and no other. */
    keyed?: boolean;
  }
  interface FastifyRequest {
    /** Null on public routes. */
    principal: Principal | null;
    /** For style tags of this answer alone. */
    styleNonce: string;
  }
  interface FastifyReply {
    /** Of an answer that is a problem. */
    problemCode: ProblemCode | null;
  }
  interface FastifyInstance {
    listedRoutes: ListedRoute[];
  }
}
