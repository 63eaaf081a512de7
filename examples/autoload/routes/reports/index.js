/**
 * `GET /reports`, for services that have the proxy key.
 *
 * @param {import('fastify').FastifyInstance} app
 */
export default async function reports (app) {
  app.get('/', { config: { gatehouse: { proxyKey: true } } }, async (request) => {
    return { reports: ['sales'], key: request.proxyKey?.id }
  })
}
