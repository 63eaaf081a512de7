import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'

import identityToken from '../../plugins/identity-token/index.js'
import type { IdentityProviderOptions, IdentityTokenOptions } from '../../plugins/identity-token/index.js'
import { AUDIENCE } from './identity-provider.js'
import type { IdentityProviderStub } from './identity-provider.js'
import type { LogReader } from './log-reader.js'

export interface IdentityAppOptions {
  /** Options of the one provider, besides `issuer` and `audience`. */
  provider?: Partial<IdentityProviderOptions>
  /** Options of the plugin, besides `providers`. */
  options?: Partial<IdentityTokenOptions>
  log?: LogReader
}

/** An app with one provider and a route for each rule, `/true`, `/optional` and `/false`, that returns the user. */
export async function identityApp (
  t: Test,
  { issuer }: Pick<IdentityProviderStub, 'issuer'>,
  { provider = {}, options = {}, log }: IdentityAppOptions = {}
): Promise<FastifyInstance> {
  const app = Fastify(log === undefined ? {} : { logger: { level: 'trace', stream: log.stream } })
  t.teardown(() => app.close())
  await app.register(identityToken, { providers: [{ issuer, audience: AUDIENCE, ...provider }], ...options })
  for (const rule of [true, 'optional', false] as const) {
    app.route({
      method: ['GET', 'POST'],
      url: `/${rule}`,
      config: { gatehouse: { identityToken: rule } },
      handler: async ({ identityToken }) => ({ sub: identityToken?.sub ?? null })
    })
  }
  return app
}

/** Sends a token to the route of the rule `true`. Returns the status, and the user or the error code. */
export async function present (app: FastifyInstance, token: string, url = '/true'): Promise<[number, string | null]> {
  const response = await app.inject({ url, headers: { authorization: `Bearer ${token}` } })
  const body = response.json<{ sub?: string, error?: { code: string } }>()
  return [response.statusCode, body.sub ?? body.error?.code ?? null]
}
