import fp from 'fastify-plugin'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'

import { publishAllowed } from '../../lib/channels.js'
import { unauthenticated } from '../../lib/authorize.js'
import type { GatehouseError } from '../../lib/errors.js'
import { defineGuard } from '../../lib/guard/index.js'
import { refuse, toPublicError } from '../../lib/refuse.js'
import { tracedCheck } from '../../lib/trace.js'
import { acceptsRule, checkedOptions, EXPECTED_RULE } from './options.js'
import type { IdentityTokenOptions, TokenCookieOptions } from './options.js'
import { tokenReader } from './presented-token.js'
import type { ClaimValue, IdentityProviderOptions } from './provider-options.js'
import { openTokenVerifier } from './token-verifier.js'
import type { IdentityToken } from './verified-claims.js'

// An import of this module alone also loads the types that these modules add to Fastify.
export type {} from '../../lib/guard/index.js'

export type { IdentityGrantOptions, IdentityUser } from './identity-user.js'
export type { ClaimValue, IdentityProviderOptions, IdentityToken, IdentityTokenOptions, TokenCookieOptions }

declare module 'fastify' {
  interface FastifyInstance {
    identityToken: {
      /** The name of the header that contains only the token, in lower case; `null`: the guard reads no such header. */
      readonly header: string | null
      /**
       * Verifies a token as the guard does. Resolves with `null` if it is not valid. Rejects with `UNAVAILABLE` if its
       * key is unknown and the provider does not respond. `Claims` types the provider's claims.
       */
      verify<Claims extends object = Record<string, unknown>>(token: string): Promise<IdentityToken<Claims> | null>
    }
  }

  interface FastifyRequest {
    /**
     * The verified token of the request. `null` on a route that the guard does not check, and where an optional token
     * is missing. `IdentifiedRequest` types the provider's claims.
     */
    identityToken: IdentityToken | null
  }

  interface GatehouseRouteConfig {
    /**
     * Requires a token of an identity provider. `'optional'` accepts a request without a token, but refuses an invalid
     * token.
     */
    identityToken?: boolean | 'optional'
  }
}

/**
 * A request whose identity token has the given claims, for the parameter of an `authorize` function.
 *
 * @example
 * authorize: ({ identityToken }: IdentifiedRequest<{ org_id: string }>) =>
 *   identityToken && { clientId: identityToken.claims.org_id, userId: identityToken.sub }
 */
export type IdentifiedRequest<Claims extends object> = FastifyRequest & { identityToken: IdentityToken<Claims> | null }

/**
 * Guards routes by the tokens (JWT) of identity providers such as Auth0, Clerk, Keycloak, Okta or Entra ID, and
 * decorates the app with `app.identityToken`. Needs the package `jose`. Throws `INVALID_OPTIONS`.
 *
 * @example
 * await app.register(identityToken, {
 *   providers: [{ issuer: 'https://acme.eu.auth0.com/', audience: 'https://api.acme.example' }]
 * })
 * app.get('/me', { config: { gatehouse: { identityToken: true } } }, async (request) => request.identityToken.sub)
 */
const identityToken: FastifyPluginAsync<IdentityTokenOptions> = async (app, pluginOptions) => {
  const options = checkedOptions(pluginOptions)
  const verifier = await openTokenVerifier(options, app)
  app.addHook('onClose', () => verifier.close())
  const presented = tokenReader(options)

  app.decorate('identityToken', {
    header: options.header,
    async verify<Claims extends object> (token: string): Promise<IdentityToken<Claims> | null> {
      const verified = await verifier.verify(token)
      // The type of the claims is the host's knowledge of its provider.
      return typeof verified === 'string' ? null : verified as IdentityToken<Claims>
    }
  })
  if (!app.hasRequestDecorator('identityToken')) app.decorateRequest('identityToken', null)
  const ruleFor = defineGuard(app, {
    name: 'identityToken',
    fallback: options.global,
    accepts: acceptsRule,
    expected: EXPECTED_RULE,
    securityScheme: 'identityToken'
  })

  app.addHook('onRequest', function checkIdentityToken (request, reply, done) {
    const rule = ruleFor(request)
    if (rule === undefined || rule === false) return done()
    const found = presented(request)
    if (found === null) {
      if (rule === 'optional') done()
      else refuse(reply, unauthenticated('no identity token'), 'identityToken')
    } else if ('refused' in found) {
      refuse(reply, unauthenticated(found.refused), 'identityToken')
    } else identify(request, reply, done, found.token)
  })

  const identify = tracedCheck('identityToken', function identify (request, reply, done, token: string) {
    verifier.verify(token).then((verified) => {
      if (typeof verified === 'string') {
        refuse(reply, invalid(verified), 'identityToken')
        return
      }
      request.identityToken = verified
      publishAllowed(request, 'identityToken')
      done()
    }, (error: unknown) => refuse(reply, toPublicError(error), 'identityToken'))
  })
}

function invalid (reason: string): GatehouseError {
  return unauthenticated(`the identity token is refused: ${reason}`)
}

export default fp(identityToken, { name: 'gatehouse-identity-token', fastify: '5.x' })
export type { UpstreamClientOptions } from '../../lib/upstream-client/index.js'
