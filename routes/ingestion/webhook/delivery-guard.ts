import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { INVALID_SIGNATURE, TIMESTAMP_OUT_OF_RANGE } from '../../../lib/errors.js'
import type { GatehouseError } from '../../../lib/errors.js'
import { UnknownKeyLimiter } from '../../../lib/limits/unknown-key-limiter.js'
import type { GuessLimit } from '../../../lib/limits/unknown-key-limiter.js'
import { checkBody, liveSecrets } from '../../../lib/http/signed-body.js'
import type { BodyCheck } from '../../../lib/http/signed-body.js'
import { refuse, toPublicError } from '../../../lib/refuse.js'
import type { ResolvedWebhook } from '../../../contracts/token-store/index.js'
import { isWebhookId, verifyWebhook } from '../../../signing/webhooks/index.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** The webhook that `?source=` names, on its route alone. */
    resolvedWebhook: ResolvedWebhook | null
    /** The bytes of the provider's signature, once it was checked and holds. */
    webhookSignature: Buffer | null
  }
}

const BODY_CHECK: BodyCheck = { check: validateDelivery }

/**
 * Lets in what a provider has signed: finds the webhook, then checks the signature over the raw body, before anything parses it.
 * A webhook that does not exist or is disabled answers as a bad signature does: ids can't be tried out.
 */
export function guardDeliveries (scope: FastifyInstance, guessLimit: GuessLimit | false): void {
  const { webhooks } = scope.tokenStore
  const guesses = guessLimit === false ? null : new UnknownKeyLimiter(guessLimit)
  for (const name of ['resolvedWebhook', 'webhookSignature', 'signedBody']) if (!scope.hasRequestDecorator(name)) scope.decorateRequest(name, null)

  scope.addHook('onRequest', function findWebhook (request, reply, done) {
    const { source: id } = request.query as { source?: unknown }
    if (!isWebhookId(id)) return refused(reply, new INVALID_SIGNATURE({ reason: 'no id of a webhook' }))
    let found: ReturnType<typeof webhooks.resolve>
    try {
      found = guesses === null ? webhooks.resolve(id) : guesses.look(id, request, webhooks)
    } catch (error) {
      return refused(reply, toPublicError(error))
    }
    if (found === null || !('then' in found)) return admit(found, request, reply, done)
    found.then((resolved) => admit(resolved, request, reply, done), (error: unknown) => refused(reply, toPublicError(error)))
  })

  scope.addHook('preParsing', function checkDelivery (request, reply, payload, done) {
    checkBody(request, reply, payload, BODY_CHECK, done)
  })

  function admit (resolved: ResolvedWebhook | null, request: FastifyRequest, reply: FastifyReply, done: () => void): void {
    if (resolved === null) return refused(reply, new INVALID_SIGNATURE({ reason: 'unknown webhook' }))
    request.resolvedWebhook = resolved
    request.source = resolved.source
    if (resolved.webhook.enabled && resolved.source.enabled) return done()
    refused(reply, new INVALID_SIGNATURE({ reason: 'disabled webhook or source' }))
  }
}

function validateDelivery (request: FastifyRequest, body: Buffer): GatehouseError | null {
  const { resolvedWebhook, method, headers } = request
  if (resolvedWebhook === null) return new INVALID_SIGNATURE()
  const { webhook, secrets } = resolvedWebhook
  const delivery = { method, url: publicUrl(request, webhook.url), headers, body, now: Date.now() }
  const verdict = verifyWebhook(webhook.provider, delivery, liveSecrets(secrets), webhook.custom)
  if (!verdict.valid) return verdict.fault === 'timestamp' ? new TIMESTAMP_OUT_OF_RANGE() : new INVALID_SIGNATURE({ reason: webhook.provider })
  request.signed = true
  request.signedBody = body
  request.webhookSignature = verdict.signature
  return null
}

/** The URL as the provider called it: its query is as it came, whatever stands before it. */
function publicUrl ({ protocol, host, originalUrl }: FastifyRequest, url: string | null): string {
  return url === null ? `${protocol}://${host}${originalUrl}` : url + originalUrl.slice(originalUrl.indexOf('?'))
}

function refused (reply: FastifyReply, error: GatehouseError): void {
  refuse(reply, error)
}
