import { CONFLICT } from '../lib/errors.js'
import type { Passwords } from '../lib/passwords/index.js'
import type { TokenStore } from '../contracts/token-store/index.js'
import { generateSecret } from '../signing/secret-strength/index.js'
import type { Config } from './config/index.js'
import { createSource, findDemoSource, ORG } from './demo-source.js'
import { parseUrl } from '../signing/parse-url.js'

/** What was made at the first start; each secret is only here. */
export interface FirstStart {
  email: string
  /** `null`: it came from the environment. */
  generatedPassword: string | null
  /** `null`: no demo source was made. */
  pipelineKey: string | null
}

/**
 * Makes the first administrator, and with `demoOrigins` the demo source that their pages may send to, unless there is an
 * administrator already: then it resolves `null`.
 */
export async function firstStart (
  store: TokenStore, passwords: Pick<Passwords, 'hash'>, { email, password }: Config['admin'], demoOrigins: readonly string[] | null
): Promise<FirstStart | null> {
  if (await store.users.count() > 0) {
    if (demoOrigins !== null) await followOrigins(store, demoOrigins)
    return null
  }
  const chosen = password ?? generateSecret()
  try {
    await store.users.create({ orgId: ORG, email: email.toLowerCase(), passwordHash: await passwords.hash(chosen), role: 'owner' })
  } catch (error) {
    // Another instance on the same database was first.
    if (error instanceof CONFLICT) return null
    throw error
  }
  const demo = demoOrigins === null || await findDemoSource(store) !== null ? null : await createSource(store, 'Demo', demoOrigins)
  return { email, generatedPassword: password === null ? chosen : null, pipelineKey: demo?.source.pipelineKey ?? null }
}

/** The server may have moved to another port since: the demo source follows, unless somebody has given it other domains. */
async function followOrigins (store: TokenStore, origins: readonly string[]): Promise<void> {
  const source = await findDemoSource(store)
  if (source === null || origins.every((origin) => source.domains.includes(origin))) return
  const hosts = new Set(origins.map((origin) => new URL(origin).hostname))
  const isOurs = (domain: string) => hosts.has(parseUrl(domain)?.hostname ?? '')
  if (source.domains.every(isOurs)) await store.sources.update(source.orgId, source.id, { domains: [...origins] })
}
