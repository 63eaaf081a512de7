// Compiled by `npm run typecheck`, never run: what TypeScript users may and may not write.
import { trace } from '@opentelemetry/api'
import Fastify from 'fastify'

import {
  adminAuth, adminConsole, adminGuard, adminMfa, captcha, connectionLimit, csrf, databrainProxy, eventSink, guestToken,
  pipelineKey, proxyKey, rateLimit, requireHttps, signature, tokenStore, tracing, userReference, verifyWebhook,
  webhookKey,
  widgetToken
} from '../../index.js'
import type { Admin } from '../../index.js'
import type { ResolvedWebhook, Source, TokenStore } from '../../contracts/token-store/index.js'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false
function assertType<Holds extends true> (): Holds | undefined {
  return undefined
}

const app = Fastify()

app.register(proxyKey, { keys: ['…'] })
app.register(proxyKey, { keys: () => ['…'], global: true })
// @ts-expect-error keys are required
app.register(proxyKey, {})
// @ts-expect-error a list of texts, not one text
app.register(proxyKey, { keys: '…' })

app.register(adminAuth, { cookie: 'on-request' })
// @ts-expect-error no such value
app.register(adminAuth, { cookie: 'never' })

app.register(adminConsole)
app.register(adminConsole, { prefix: '/admin', api: '/api/admin', title: 'Acme', rateLimit: false })
// @ts-expect-error a path, not a list
app.register(adminConsole, { prefix: ['/admin'] })

app.register(userReference, { keys: ['…'], global: 'optional' })
// @ts-expect-error no such value
app.register(userReference, { keys: ['…'], global: 'sometimes' })

app.register(guestToken, { apiKey: '…', dataAppName: 'acme', authorize: (request) => ({ clientId: request.ip }) })
// @ts-expect-error a grant names its client
app.register(guestToken, { apiKey: '…', dataAppName: 'acme', authorize: () => ({ params: {} }) })

app.register(widgetToken, {
  secret: '…',
  issuer: 'i',
  session: 's',
  authorize: async () => ({ user: 'u', filters: ['f'] })
})
app.register(widgetToken, {
  secret: async () => '…',
  issuer: 'i',
  session: 's',
  authorize: () => ({ user: 'u', tenant: 't', issuedAt: 1 })
})
// @ts-expect-error there is no default user
app.register(widgetToken, { secret: '…', issuer: 'i', session: 's' })

app.register(proxyKey, { keys: async () => ['…'] })
app.register(databrainProxy, { apiKey: async () => '…', dataAppName: 'acme', proxyKeys: ['…'], authorize: () => null })
// @ts-expect-error there is no default user
app.register(databrainProxy, { apiKey: '…', dataAppName: 'acme', proxyKeys: ['…'] })

app.register(connectionLimit, { max: 5, sockets: false })
app.register(requireHttps, { global: true, hsts: { maxAgeSeconds: 60 } })
app.register(rateLimit, { address: { max: 10, timeWindow: '1 minute' } })
app.register(captcha, { provider: 'altcha', hmacKey: () => '…' })
app.register(captcha, { provider: 'turnstile', secret: '…', hostnames: ['app.example.com'] })
// @ts-expect-error whose pages may show it must be said
app.register(captcha, { provider: 'turnstile', secret: '…' })
app.register(csrf, { key: '…', sessionOf: () => null })
app.get('/limited', {
  config: {
    gatehouse: {
      connectionLimit: 5,
      https: true,
      rateLimit: { user: { max: 1 } },
      captcha: { action: 'x' },
      csrf: 'writes'
    }
  }
}, async () => ({}))
// @ts-expect-error a number of requests
app.get('/badly-limited', { config: { gatehouse: { rateLimit: { user: { max: '1' } } } } }, async () => ({}))

app.register(pipelineKey)
app.register(signature, { global: 'optional' })
app.register(adminGuard, { jwtSecrets: ['…'] })
app.register(tokenStore)
app.register(adminMfa, { passkeys: { rpId: 'example.com', origins: ['https://example.com'] } })
// @ts-expect-error passkeys need the origins of the pages
app.register(adminMfa, { passkeys: { rpId: 'example.com' } })
app.get('/fresh', { config: { gatehouse: { admin: { roles: ['owner'], stepUp: true } } } }, async () => null)
// @ts-expect-error an unknown kind of step-up
app.get('/never', { config: { gatehouse: { admin: { roles: ['owner'], stepUp: 'never' } } } }, async () => null)
app.register(eventSink)

app.register(tracing, { continueTraces: (request) => request.ip === '10.0.0.1', tracerProvider: trace.getTracerProvider() })
// @ts-expect-error a boolean or a function
app.register(tracing, { continueTraces: 'yes' })

app.get('/guarded', {
  config: {
    gatehouse: {
      proxyKey: true,
      userReference: 'optional',
      pipelineKey: true,
      signature: 'required',
      admin: { roles: ['owner'] },
      audit: 'report.read'
    }
  }
}, async (request) => {
  assertType<Equal<typeof request.proxyKey, { readonly id: string } | null>>()
  assertType<Equal<typeof request.source, Readonly<Source> | null>>()
  assertType<Equal<typeof request.admin, Admin | null>>()
  assertType<Equal<typeof request.signed, boolean>>()
  assertType<Equal<typeof request.signedBody, Buffer | null>>()
  return request.userReference?.sub ?? null
})
// @ts-expect-error no such mode
app.get('/mode', { config: { gatehouse: { signature: true } } }, async () => null)
app.get('/for-keys', { config: { gatehouse: { admin: { roles: ['owner'], permission: 'reports:read' } } } }, async (
  { admin }
) => {
  if (admin?.kind === 'user') assertType<Equal<typeof admin.email, string>>()
  if (admin?.kind === 'api_key') assertType<Equal<typeof admin.permissions, readonly string[] | null>>()
  return admin?.sub ?? null
})
// @ts-expect-error no such role
app.get('/role', { config: { gatehouse: { admin: { roles: ['root'] } } } }, async () => null)

app.ready(() => {
  assertType<Equal<typeof app.tokenStore, TokenStore>>()
  assertType<Equal<Awaited<ReturnType<typeof app.tokenStore.webhooks.resolve>>, ResolvedWebhook | null>>()
  assertType<Equal<ReturnType<typeof app.userReference.sign>, string>>()
})

const verdict = verifyWebhook('stripe', { method: 'POST', url: '', headers: {}, body: Buffer.alloc(0), now: 0 }, [
  webhookKey('stripe', '…')
])
if (verdict.valid) assertType<Equal<typeof verdict.signature, Buffer>>()
else assertType<Equal<typeof verdict.reason, 'signature' | 'timestamp'>>()
// @ts-expect-error no such provider
webhookKey('github', '…')
