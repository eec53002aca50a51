import { Session, SignIn, SignInCode } from '@spillway/shared/api/session';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { version } from '../../../version.ts';
import { answersSeal } from '../../access/seal.ts';
import { createSession, type NewSession, revokeSession } from '../../access/sessions.ts';
import { issueSignInCode, spendSignInCode } from '../../access/sign-in-codes.ts';
import { appendAudit } from '../../audit/append.ts';
import type { Actor } from '../../context.ts';
import { unitOfWork } from '../../database/database.ts';
import { ProblemError } from '../../problem-error.ts';
import { mutateOnce } from '../idempotency.ts';
import type { App, HttpParts } from '../parts.ts';
import { sessionCookie } from '../plugins/authentication.ts';
import { refuseForeignOrigin } from '../plugins/csrf.ts';
import { callerOf, principalOf } from '../plugins/rights.ts';

const tags = ['access'];

export function sessionRoutes(app: App, { ctx, directory, attempts, settings }: HttpParts): void {
  app.post(
    '/v1/session',
    {
      config: { access: 'public' },
      schema: { tags, summary: 'Sign in with a one-time code', body: SignIn, response: { 201: Session } },
    },
    async (request, reply) => {
      refuseForeignOrigin(request);
      const waitMs = attempts.waitMs(request.ip);
      if (waitMs > 0) {
        reply.header('retry-after', String(Math.ceil(waitMs / 1000)));
        throw new ProblemError('rate_limited', 'Too many failed sign-ins from this address');
      }
      const session = await signIn(request);
      if (session === null) {
        attempts.failed(request.ip);
        throw new ProblemError('invalid_sign_in_code', 'The sign-in code is unknown, used or expired', {
          pointer: '/code',
        });
      }
      attempts.succeeded(request.ip);
      await directory.refresh();
      setCookie(request, reply, session.secret, session.expiresAt);
      return reply.code(201).send({
        actor: session.actor,
        role: session.role,
        csrfToken: session.csrfToken,
        expiresAt: session.expiresAt.toISOString(),
        version,
      });
    },
  );

  /** Code, session and audit row in one transaction: a code is never spent for nothing. */
  function signIn(request: FastifyRequest<{ Body: { code: string } }>): Promise<NewSession | null> {
    return unitOfWork(ctx.database, async (work) => {
      if (!(await spendSignInCode(work, ctx.clock, request.body.code))) return null;
      const session = await createSession(work, ctx.clock);
      const actor: Actor = {
        name: session.actor,
        role: session.role,
        address: request.ip,
        origin: 'operator',
      };
      const after = { actor: session.actor, role: session.role, expiresAt: session.expiresAt.toISOString() };
      await appendAudit(work, ctx.clock, {
        actor,
        action: 'session.create',
        target: session.actor,
        before: null,
        after,
      });
      return session;
    });
  }

  app.get(
    '/v1/session',
    { config: { access: 'viewer' }, schema: { tags, summary: 'Who I am', response: { 200: Session } } },
    async (request) => {
      const { name, role, csrfToken, expiresAt } = principalOf(request);
      if (role === 'worker') throw new ProblemError('forbidden', 'A worker has no session');
      return {
        actor: name,
        role,
        csrfToken,
        expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString(),
        version,
      };
    },
  );

  app.delete(
    '/v1/session',
    {
      config: { access: 'viewer' },
      schema: { tags, summary: 'Sign out', response: { 204: Type.Null({ description: 'signed out' }) } },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      if (principal.kind === 'session') {
        await unitOfWork(ctx.database, async (work) => {
          await revokeSession(work, ctx.clock, principal.key.slice('session:'.length));
          await appendAudit(work, ctx.clock, {
            actor: callerOf(request),
            action: 'session.revoke',
            target: principal.name,
            before: null,
            after: null,
          });
        });
        await directory.refresh();
        setCookie(request, reply, '', new Date(0));
      }
      return reply.code(204).send(null);
    },
  );

  app.post(
    '/v1/sign-in-codes',
    {
      config: { access: 'admin', bodyOptional: true },
      schema: {
        tags,
        summary: 'A fresh sign-in code',
        body: Type.Object({}, { additionalProperties: false }),
        response: { 201: SignInCode },
      },
    },
    (request, reply) =>
      mutateOnce(
        { ctx, request, reply, status: 201, seal: answersSeal(settings.adminToken) },
        async (work) => {
          const { code, expiresAt } = await issueSignInCode(work.tx, ctx.clock);
          const answer = { code, expiresAt: expiresAt.toISOString() };
          await appendAudit(work, ctx.clock, {
            actor: callerOf(request),
            action: 'sign_in_code.create',
            target: 'admin',
            before: null,
            after: { expiresAt: answer.expiresAt },
          });
          return answer;
        },
      ),
  );
}

function setCookie(request: FastifyRequest, reply: FastifyReply, value: string, expires: Date): void {
  const { name, secure } = sessionCookie(request);
  reply.setCookie(name, value, { httpOnly: true, sameSite: 'strict', path: '/', secure, expires });
}
