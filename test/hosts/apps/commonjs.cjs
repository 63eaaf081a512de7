// A CommonJS host, which loads the suite by require().
const { randomBytes } = require('node:crypto')

const Fastify = require('fastify')
const { proxyKey, widgetToken } = require('fastify-gatehouse')

async function host () {
  const app = Fastify()
  const key = randomBytes(32).toString('base64url')
  app.register(proxyKey, { keys: [key] })
  app.register(widgetToken, { secret: 'secret', issuer: 'issuer', session: 'session', authorize: () => 'ann' })
  app.get('/guarded', { config: { gatehouse: { proxyKey: true } } }, async () => ({ guarded: true }))
  const status = async (url, headers = {}) => (await app.inject({ url, headers })).statusCode
  const guarded = [await status('/guarded'), await status('/guarded', { authorization: `Bearer ${key}` })]
  process.stdout.write(JSON.stringify({ guarded, widget: await status('/api/generate-token') }))
  await app.close()
}

host()
