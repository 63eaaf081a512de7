import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { INVALID_SIGNATURE, TIMESTAMP_OUT_OF_RANGE } from '../../../lib/errors.js'
import type { GatehouseError } from '../../../lib/errors.js'
import { UnknownKeyLimiter } from '../../../lib/limits/unknown-key-limiter.js'
import type { GuessLimit } from '../../../lib/limits/unknown-key-limiter.js'
import { checkBody, liveSecrets } from '../../../lib/http/signed-body.js'
import type { BodyCheck } from '../../../lib/http/signed-body.js'
import { refuse, toPublicError } from '../../../lib/refuse.js'
import { tracedValue } from '../../../lib/trace.js'
import type { ResolvedWebhook } from '../../../contracts/token-store/index.js'
import { isWebhookId, verifyWebhook } from '../../../signing/webhooks/index.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** The webhook that `?source=` names; `null` on all routes but the webhook route. */
    resolvedWebhook: ResolvedWebhook | null
    /** The bytes of the provider's signature after it was verified, else `null`. */
    webhookSignature: Buffer | null
  }
}

const BODY_CHECK: BodyCheck = { guard: 'webhook', check: validateDelivery }

/**
 * Adds the hooks that look up the webhook and verify the provider's signature over the raw body, before the body is
 * parsed. An unknown or disabled webhook is refused like an invalid signature, so that ids cannot be guessed.
 */
export function guardDeliveries (scope: FastifyInstance, guessLimit: GuessLimit | false): void {
  const { webhooks } = scope.tokenStore
  const unknownIds = guessLimit === false ? null : new UnknownKeyLimiter(guessLimit)
  for (const name of ['resolvedWebhook', 'webhookSignature', 'signedBody']) {
    if (!scope.hasRequestDecorator(name)) scope.decorateRequest(name, null)
  }

  scope.addHook('onRequest', function findWebhook (request, reply, done) {
    const { source: id } = request.query as { source?: unknown }
    if (!isWebhookId(id)) return refuseDelivery(reply, new INVALID_SIGNATURE({ reason: 'no webhook id' }))
    let found: ReturnType<typeof webhooks.resolve>
    try {
      found = tracedValue({ kind: 'guard', name: 'webhook', request }, () =>
        unknownIds === null ? webhooks.resolve(id) : unknownIds.look(id, request, webhooks))
    } catch (error) {
      return refuseDelivery(reply, toPublicError(error))
    }
    if (found === null || !('then' in found)) return acceptWebhook(found, request, reply, done)
    found.then(
      (resolved) => acceptWebhook(resolved, request, reply, done),
      (error: unknown) => refuseDelivery(reply, toPublicError(error))
    )
  })

  scope.addHook('preParsing', function checkDelivery (request, reply, payload, done) {
    checkBody(request, reply, payload, BODY_CHECK, done)
  })

  function acceptWebhook (
    resolved: ResolvedWebhook | null,
    request: FastifyRequest,
    reply: FastifyReply,
    done: () => void
  ): void {
    if (resolved === null) return refuseDelivery(reply, new INVALID_SIGNATURE({ reason: 'unknown webhook' }))
    request.resolvedWebhook = resolved
    request.source = resolved.source
    if (resolved.webhook.enabled && resolved.source.enabled) return done()
    refuseDelivery(reply, new INVALID_SIGNATURE({ reason: 'disabled webhook or source' }))
  }
}

function validateDelivery (request: FastifyRequest, body: Buffer): GatehouseError | null {
  const { resolvedWebhook, method, headers } = request
  if (resolvedWebhook === null) return new INVALID_SIGNATURE()
  const { webhook, secrets } = resolvedWebhook
  const delivery = { method, url: publicUrl(request, webhook.url), headers, body, now: Date.now() }
  const verdict = verifyWebhook(webhook.provider, delivery, liveSecrets(secrets), webhook.custom)
  if (!verdict.valid) {
    return verdict.reason === 'timestamp'
      ? new TIMESTAMP_OUT_OF_RANGE({ reason: `the timestamp of ${webhook.provider} is too far from this clock` })
      : new INVALID_SIGNATURE({ reason: `the signature of ${webhook.provider} does not match the body and the secrets` })
  }
  request.signed = true
  request.signedBody = body
  request.webhookSignature = verdict.signature
  return null
}

/**
 * Returns the URL that the provider called: the configured URL, or the URL of the request, with the query as received.
 */
function publicUrl ({ protocol, host, originalUrl }: FastifyRequest, url: string | null): string {
  return url === null ? `${protocol}://${host}${originalUrl}` : url + originalUrl.slice(originalUrl.indexOf('?'))
}

function refuseDelivery (reply: FastifyReply, error: GatehouseError): void {
  refuse(reply, error, 'webhook')
}
