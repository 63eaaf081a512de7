// The servers of `npm run bench:peers`, by name. Each module is loaded in the process of its server only.
export const PEERS: Record<string, () => Promise<number>> = {
  'guest token, uncached': async () => (await import('./guest-token.js')).uncached(),
  'express sample': async () => (await import('./guest-token.js')).expressSample(),
  'databrain proxy': async () => (await import('./proxy.js')).gatehouse(),
  '@fastify/http-proxy': async () => (await import('./proxy.js')).fastifyHttpProxy(),
  'http-proxy-middleware': async () => (await import('./proxy.js')).httpProxyMiddleware(),
  'oidc-provider': async () => (await import('./oidc-provider.js')).oidcProvider(),
  'better-auth': async () => (await import('./better-auth.js')).betterAuth(),
  'signature guard': async () => (await import('./signature.js')).gatehouse(),
  'fastify-raw-body': async () => (await import('./signature.js')).byHand(),
  'rate limit': async () => (await import('./rate-limit.js')).gatehouse(),
  '@fastify/rate-limit': async () => (await import('./rate-limit.js')).fastifyRateLimit(),
  'express + pg': async () => (await import('./express-pg.js')).expressWithPg()
}
