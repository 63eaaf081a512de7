import { setTimeout as sleep } from 'node:timers/promises'
import { inflateRawSync } from 'node:zlib'

import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'

import type { TokenStore } from '../../contracts/token-store/index.js'
import adminSaml from '../../routes/admin/saml/index.js'
import type { AdminSamlOptions, ConfiguredSamlProvider } from '../../routes/admin/saml/index.js'
import type { SamlSettingsBody } from '../../schemas/admin-saml.js'
import { createSigningPair } from '../../server/mock-products/saml/certificate.js'
import type { SigningPair } from '../../server/mock-products/saml/certificate.js'
import { adminApp, SECRET } from './admin.js'
import type { AdminApp, AdminAppOptions } from './admin.js'
import { base64, signedResponse } from './forged-saml.js'
import type { ResponseParts } from './forged-saml.js'

export const PUBLIC_URL = 'https://gate.example'
export const SAML_PATH = '/v1/admin/auth/sso/saml'
export const IDP = 'https://idp.example/metadata'
export const LOGIN_PAGE = `${PUBLIC_URL}/login`

/** The keys of the identity provider and of another one, created once for a test file. */
export const idpKeys = await createSigningPair('idp', Date.now())
export const otherKeys = await createSigningPair('other', Date.now())

export function privatePem ({ privateKey }: SigningPair): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/** A login that a browser has started. */
export interface StartedLogin {
  provider: string
  /** The URL of the provider, with the AuthnRequest. */
  url: URL
  /** The AuthnRequest as XML. */
  xml: string
  requestId: string
  state: string
  cookie: string
}

export interface SamlApp extends AdminApp {
  start(provider?: string): Promise<StartedLogin>
  /** The parts of a valid response to a login, or of one that the provider starts. */
  partsFor(login: StartedLogin | null, changes?: Partial<ResponseParts>): ResponseParts
  /** Posts a response to the assertion consumer service. */
  send(xml: string, login: StartedLogin | null, more?: SendOptions): Promise<LightMyRequestResponse>
  /** A whole login with a valid response, signed by the provider. */
  finish(changes?: Partial<ResponseParts>, provider?: string): Promise<LightMyRequestResponse>
  /** Exchanges the code of a finished login for tokens. */
  exchange(finished: LightMyRequestResponse): Promise<LightMyRequestResponse>
}

export interface SendOptions {
  provider?: string
  relayState?: string
  cookie?: string | undefined
}

export interface SamlAppOptions {
  settings?: Partial<SamlSettingsBody>
  secrets?: readonly string[]
  roles?: ConfiguredSamlProvider['roles']
  store?: TokenStore
  options?: Partial<AdminSamlOptions>
  /** What else to register, before the admin routes. */
  before?: AdminAppOptions['before']
}

/** The settings of the identity provider of the tests. */
export const SETTINGS = { entry_point: 'https://idp.example/sso', idp_entity_id: IDP, certificates: [idpKeys.certificate] }

/** `adminSaml` with a provider `acme` of the organisation `default`, and one `other` of another organisation. */
export async function samlApp (t: Test, given: SamlAppOptions = {}): Promise<SamlApp> {
  const { settings = {}, secrets = [], roles, store, options, before = async () => {} } = given
  const admin = await adminApp(t, { before, ...store === undefined ? {} : { store } })
  const { app, clock } = admin
  for (const id of ['default', 'other']) {
    if (await admin.store.organisations.get(id) === null) await admin.store.organisations.create({ id, name: id })
  }
  const ours = { ...SETTINGS, ...settings }
  await app.register(adminSaml, {
    jwtSecrets: [SECRET],
    tokenRateLimit: false,
    publicUrl: PUBLIC_URL,
    loginPage: '/login',
    now: () => clock.now,
    domains: [{ domain: 'acme.example', orgId: 'default' }, { domain: 'other.example', orgId: 'other' }],
    providers: [
      { id: 'acme', orgId: 'default', name: 'Acme', settings: ours, secrets, ...roles === undefined ? {} : { roles } },
      { id: 'other', orgId: 'other', name: 'Other', settings: { ...ours }, secrets }
    ],
    loginRateLimit: false,
    userRateLimit: false,
    ...options
  })

  const self: SamlApp = {
    ...admin,
    start: (provider = 'acme') => startLogin(app, provider),
    partsFor: (login, changes = {}) => partsFor(clock.now, login, changes),

    async send (xml, login, { provider = login?.provider ?? 'acme', relayState = login?.state, cookie } = {}) {
      const sent = cookie ?? login?.cookie
      return await app.inject({
        method: 'POST',
        url: `${SAML_PATH}/${provider}/acs`,
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          origin: 'https://idp.example',
          ...sent === undefined ? {} : { cookie: sent }
        },
        payload: new URLSearchParams({
          SAMLResponse: base64(xml), ...relayState === undefined ? {} : { RelayState: relayState }
        }).toString()
      })
    },

    async finish (changes = {}, provider = 'acme') {
      const login = await self.start(provider)
      return await self.send(signedResponse(self.partsFor(login, changes), idpKeys), login)
    },

    async exchange (finished) {
      const cookie = cookiesOf(finished)
      return await app.inject({
        method: 'POST',
        url: '/v1/admin/auth/sso/token',
        headers: { cookie, origin: PUBLIC_URL },
        payload: { code: fragmentOf(finished).get('sso') ?? '' }
      })
    }
  }
  return self
}

async function startLogin (app: FastifyInstance, provider: string): Promise<StartedLogin> {
  const reply = await app.inject({ url: `${SAML_PATH}/${provider}/start` })
  const location = reply.headers.location
  if (typeof location !== 'string') throw new Error(`start: ${reply.statusCode} ${reply.body}`)
  const url = new URL(location)
  const xml = inflateRawSync(Buffer.from(url.searchParams.get('SAMLRequest') ?? '', 'base64')).toString()
  return {
    provider,
    url,
    xml,
    requestId: / ID="([^"]+)"/.exec(xml)?.[1] ?? '',
    state: url.searchParams.get('RelayState') ?? '',
    cookie: cookiesOf(reply)
  }
}

function partsFor (now: number, login: StartedLogin | null, changes: Partial<ResponseParts>): ResponseParts {
  const base = `${PUBLIC_URL}${SAML_PATH}/${login?.provider ?? 'acme'}`
  return {
    now,
    issuer: IDP,
    audience: `${base}/metadata`,
    recipient: `${base}/acs`,
    inResponseTo: login?.requestId ?? null,
    ...changes
  }
}

function cookiesOf (reply: LightMyRequestResponse): string {
  const values = [reply.headers['set-cookie'] ?? []].flat()
  return values.map((value) => value.split(';')[0] ?? '').join('; ')
}

/** The values that a redirect gives to the login page. */
export function fragmentOf (reply: LightMyRequestResponse): URLSearchParams {
  return new URLSearchParams(new URL(String(reply.headers.location)).hash.slice(1))
}

/**
 * Asserts that a response was refused: a redirect to the login page with the reason and nothing else, an audit entry
 * with the reason and the detail, and no session and no code.
 */
export async function assertRefused (
  t: Test,
  { audited, clock, store }: SamlApp,
  reply: LightMyRequestResponse,
  { reason = 'invalid_response', detail, orgId = 'default' }: { reason?: string, detail: RegExp, orgId?: string }
): Promise<void> {
  t.equal(reply.statusCode, 303)
  t.equal(reply.headers.location, `${LOGIN_PAGE}#sso_error=${reason}`)
  let details: unknown[] = []
  for (let tries = 0; tries < 100 && !details.some((text) => detail.test(String(text))); tries++) {
    if (tries > 0) await sleep(20)
    const entries = (await audited('auth.sso_failed', orgId)).filter(({ action }) => action === 'auth.sso_failed')
    details = entries.filter(({ changes }) => changes?.reason === reason).map(({ changes }) => changes?.detail)
  }
  t.match(details.find((text) => detail.test(String(text))) ?? details, detail)
  t.equal(await store.users.findByEmail('ann@acme.example'), null, 'no account and so no session')
  // The refusals of one address within a minute are one entry.
  clock.now += 61_000
}
