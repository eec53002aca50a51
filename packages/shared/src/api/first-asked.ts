/**
 * What every screen asks for before anything else. The document's headers name it, so that the answers are on their way while the script that
 * is to read them still comes.
 */
export const firstAsked = {
  session: '/v1/session',
  pipelines: '/v1/pipelines?limit=200',
} as const;
