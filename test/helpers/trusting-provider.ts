import { Type } from '@sinclair/typebox'
import type { LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'

import type { SsoOptions } from '../../routes/admin/sso/options.js'
import type { ProvenIdentity, SsoProtocol } from '../../routes/admin/sso/protocol.js'
import type { AdminApp, AdminAppOptions } from './admin.js'
import { ssoApp } from './sso.js'

export const PROVIDER_PATH = '/v1/admin/auth/sso/oidc'

interface FinishOptions {
  /** Runs while the response of the provider is verified. */
  beforeFinish?: () => Promise<void>
}

export interface TrustingApp extends AdminApp {
  /** Id of a stored provider of the organisation `default`, which has `example.com`. */
  provider: string
  /** Logs a person in at the provider; resolves with the response that takes the browser to the login page. */
  finish(identity: Partial<ProvenIdentity>, options?: FinishOptions): Promise<LightMyRequestResponse>
  /** Exchanges the code of a finished login. */
  exchange(finished: LightMyRequestResponse): Promise<LightMyRequestResponse>
  /** Both steps. */
  loginAt(identity: Partial<ProvenIdentity>): Promise<LightMyRequestResponse>
}

/** A protocol without security: its provider is whoever sends a request, and may be hostile. */
const PROTOCOL: SsoProtocol = {
  kind: 'oidc',
  issuerSetting: 'issuer',
  settingsSchema: Type.Object({ issuer: Type.Optional(Type.String()) }, { additionalProperties: false }),
  checkSettings () {},
  checkSecret () {},
  urlsOf: () => ({}),
  start: async () => ({ url: 'https://idp.example/', data: {} }),
  logoutUrl: async () => null
}

/** The admin routes with a provider that can state anything about a person. */
export async function trustingApp (
  t: Test,
  { sso, ...options }: AdminAppOptions & { sso?: Partial<SsoOptions> } = {}
): Promise<TrustingApp> {
  const admin = await ssoApp(t, { ...options, sso: { domains: [{ domain: 'example.com', orgId: 'default' }], ...sso } })
  const { app, store } = admin
  for (const id of ['default', 'org-b']) {
    if (await store.organisations.get(id) === null) await store.organisations.create({ id, name: id })
  }
  const { core } = app.adminSso
  core.use(PROTOCOL, [])
  let beforeFinish: (() => Promise<void>) | undefined
  await core.routes('oidc', async (scope) => {
    scope.post<{ Params: { id: string } }>('/:id/trusted', async (request, reply) => {
      const provider = await core.find('oidc', request.params.id)
      await core.takeTransaction(request, reply, { provider, state: 'none' })
      await beforeFinish?.()
      return core.finish(request, reply, { provider, returnTo: null, identity: request.body as ProvenIdentity })
    })
  })
  const { id: provider } = await store.identityProviders.create({
    orgId: 'default',
    kind: 'oidc',
    name: 'Provider',
    enabled: true,
    settings: { issuer: 'https://idp.example' },
    roles: { claim: null, mapping: [], fallback: 'viewer' }
  })

  const self: TrustingApp = {
    ...admin,
    provider,
    async finish (identity, options = {}) {
      beforeFinish = options.beforeFinish
      return admin.post(`${PROVIDER_PATH}/${provider}/trusted`, {
        subject: 'person-1',
        email: 'ann@example.com',
        isEmailVerified: true,
        roleValues: [],
        mfaAt: null,
        providerSession: null,
        hint: null,
        ...identity
      })
    },
    async exchange (finished) {
      const cookie = String(finished.headers['set-cookie']).split(';')[0] ?? ''
      const code = new URLSearchParams(new URL(String(finished.headers.location)).hash.slice(1)).get('sso') ?? ''
      return app.inject({ method: 'POST', url: '/v1/admin/auth/sso/token', headers: { cookie }, payload: { code } })
    },
    loginAt: async (identity) => self.exchange(await self.finish(identity))
  }
  return self
}
