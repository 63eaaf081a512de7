import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'

import type { AuditEntry, RoleRules } from '../../contracts/token-store/index.js'
import adminOidc from '../../routes/admin/oidc/index.js'
import type { AdminOidcOptions } from '../../routes/admin/oidc/index.js'
import type { OidcSettings } from '../../schemas/admin-oidc.js'
import type { TokenPair } from '../../schemas/admin-auth.js'
import { adminApp, SECRET } from './admin.js'
import type { AdminApp, AdminAppOptions } from './admin.js'
import { logReader } from './log-reader.js'
import type { LogReader } from './log-reader.js'

export const CLIENT_SECRET = 'first-client-secret-of-this-test'
export const PUBLIC_URL = 'https://gate.example.com'
export const SSO = '/v1/admin/auth/sso'

export interface OidcLoginOptions {
  issuer: string
  settings?: Partial<OidcSettings>
  secrets?: readonly string[]
  roles?: RoleRules
  /** More options, such as further providers. */
  plugin?: Partial<AdminOidcOptions>
  store?: AdminApp['store']
  publicUrl?: string
  /** Registers `adminMfa` with these options. Default: not registered. */
  mfa?: AdminAppOptions['mfa']
  /** What else to register, before the admin routes. */
  before?: AdminAppOptions['before']
}

/** The cookies of one browser, as a Cookie header. */
export interface Jar { cookie: string }

export interface OidcLogin extends AdminApp {
  log: LogReader
  /** Begins a login; returns the URL of the provider. */
  start(jar: Jar, id?: string, query?: string): Promise<string>
  /** Opens the redirect URI. */
  callback(jar: Jar, url: string): Promise<LightMyRequestResponse>
  /** Exchanges the code of the login page. */
  exchange(jar: Jar, response: LightMyRequestResponse): Promise<LightMyRequestResponse>
  /** The reason and the audit entry of a refused login, after checks that the browser got nothing else. */
  refused(t: Test, response: LightMyRequestResponse): Promise<{ error: string | null, entry: AuditEntry }>
}

/**
 * An app with one configured provider `idp` of the organisation `default`, which the domain example.com belongs to. Its
 * log is kept.
 */
export async function oidcLogin (t: Test, options: OidcLoginOptions): Promise<OidcLogin> {
  const { issuer, settings, secrets = [CLIENT_SECRET], roles, plugin = {}, store, publicUrl = PUBLIC_URL } = options
  const { before = async () => {} } = options
  const mfa = options.mfa === undefined ? {} : { mfa: options.mfa }
  const log = logReader()
  const server = { logger: { level: 'trace', stream: log.stream } }
  const admin = await adminApp(t, { server, before, ...mfa, ...store === undefined ? {} : { store } })
  const { providers = [], ...others } = plugin
  const { app, clock } = admin
  if (store === undefined) await admin.store.organisations.create({ id: 'default', name: 'Default' })
  await app.register(adminOidc, {
    jwtSecrets: [SECRET],
    now: () => clock.now,
    publicUrl,
    loginPage: '/login',
    domains: [{ domain: 'example.com', orgId: 'default' }],
    loginRateLimit: false,
    userRateLimit: false,
    tokenRateLimit: false,
    providers: [{
      id: 'idp',
      orgId: 'default',
      name: 'Example',
      settings: { issuer, client_id: 'gate', ...settings },
      secrets,
      ...roles === undefined ? {} : { roles }
    }, ...providers],
    ...others
  })
  let failures = 0

  return {
    ...admin,
    log,
    async start (jar, id = 'idp', query = '') {
      clock.now += 1
      const response = await inject(app, jar, 'GET', `${SSO}/oidc/${id}/start${query}`)
      if (response.statusCode !== 303) throw new Error(`start: ${response.statusCode} ${response.body}`)
      return String(response.headers.location)
    },
    callback (jar, url) {
      const { pathname, search } = new URL(url)
      return inject(app, jar, 'GET', pathname + search)
    },
    exchange (jar, response) {
      return inject(app, jar, 'POST', `${SSO}/token`, { code: valueOf(response, 'sso') })
    },
    async refused (t, response) {
      t.equal(response.statusCode, 303)
      t.match(String(response.headers.location), `${publicUrl}/login#`)
      t.equal(valueOf(response, 'sso'), null)
      const entries = await admin.audited('auth.sso_failed', 'default', ++failures)
      const entry = entries.find(({ action }) => action === 'auth.sso_failed')
      if (entry === undefined) throw new Error('no audit entry')
      return { error: valueOf(response, 'sso_error'), entry }
    }
  }
}

/** Returns a value in the fragment of the login page's URL. */
export function valueOf ({ headers: { location } }: LightMyRequestResponse, name: string): string | null {
  return new URLSearchParams(new URL(String(location)).hash.slice(1)).get(name)
}

/** Logs in until the login page's code is exchanged. */
export async function tokensOf (
  login: Pick<OidcLogin, 'start' | 'callback' | 'exchange'>,
  respond: (url: string) => string,
  jar: Jar = { cookie: '' }
): Promise<TokenPair> {
  const response = await login.exchange(jar, await login.callback(jar, respond(await login.start(jar))))
  if (response.statusCode !== 200) throw new Error(`exchange: ${response.statusCode} ${response.body}`)
  return response.json<TokenPair>()
}

async function inject (
  app: FastifyInstance,
  jar: Jar,
  method: 'GET' | 'POST',
  url: string,
  payload?: object
): Promise<LightMyRequestResponse> {
  const headers = jar.cookie === '' ? {} : { cookie: jar.cookie }
  const remoteAddress = nextAddress()
  const body = payload === undefined ? {} : { payload }
  const response = await app.inject({ method, url, headers, remoteAddress, ...body })
  const cookies = new Map(jar.cookie === '' ? [] : jar.cookie.split('; ').map((pair) => split(pair)))
  for (const { name, value } of response.cookies) {
    if (value === '') cookies.delete(name)
    else cookies.set(name, value)
  }
  jar.cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  return response
}

let requests = 0

/** Refusals of one address are one audit entry per minute, so each request has another address. */
export function nextAddress (): string {
  requests++
  return `198.18.${requests >> 8}.${requests & 255}`
}

function split (pair: string): [string, string] {
  const at = pair.indexOf('=')
  return [pair.slice(0, at), pair.slice(at + 1)]
}
