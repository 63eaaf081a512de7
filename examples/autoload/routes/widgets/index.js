import { widgetToken } from 'fastify-gatehouse'

/**
 * `GET /widgets/api/generate-token`, for pages that send a user reference as `X-User-Reference`.
 *
 * @param {import('fastify').FastifyInstance} app
 */
export default async function widgets (app) {
  const { DXFEED_SECRET = '', DXFEED_ISSUER = '', DXFEED_SESSION = '' } = process.env
  await app.register(widgetToken, {
    secret: DXFEED_SECRET,
    issuer: DXFEED_ISSUER,
    session: DXFEED_SESSION,
    authorize: ({ userReference }) => userReference && { user: userReference.sub }
  })
}
