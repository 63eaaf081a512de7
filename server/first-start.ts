import { CONFLICT } from '../lib/errors.js'
import type { Passwords } from '../lib/passwords/index.js'
import type { TokenStore } from '../contracts/token-store/index.js'
import { generateSecret } from '../signing/secret-strength/index.js'
import type { Config } from './config/index.js'
import { createSource, findDemoSource, ORG } from './demo-source.js'
import { parseUrl } from '../signing/parse-url.js'

/** The result of the first start. The secrets are returned only here. */
export interface FirstStart {
  email: string
  /** `null`: the password came from the environment. */
  generatedPassword: string | null
  /** `null`: no demo source was created. */
  pipelineKey: string | null
}

/**
 * Creates the first administrator and, with `demoOrigins`, a demo source for pages of these origins. Resolves `null` if
 * an administrator already exists.
 */
export async function firstStart (
  store: TokenStore,
  passwords: Pick<Passwords, 'hash'>,
  { email, password }: Config['admin'],
  demoOrigins: readonly string[] | null
): Promise<FirstStart | null> {
  if (await store.users.count() > 0) {
    if (demoOrigins !== null) await followOrigins(store, demoOrigins)
    return null
  }
  const chosen = password ?? generateSecret()
  try {
    await store.users.create({
      orgId: ORG,
      email: email.toLowerCase(),
      passwordHash: await passwords.hash(chosen),
      role: 'owner'
    })
  } catch (error) {
    // Another instance on the same database created the administrator first.
    if (error instanceof CONFLICT) return null
    throw error
  }
  const demo = demoOrigins === null || await findDemoSource(store) !== null
    ? null
    : await createSource(store, 'Demo', demoOrigins)
  return { email, generatedPassword: password === null ? chosen : null, pipelineKey: demo?.source.pipelineKey ?? null }
}

/** Updates the demo source after the server's port has changed, unless an administrator has changed its domains. */
async function followOrigins (store: TokenStore, origins: readonly string[]): Promise<void> {
  const source = await findDemoSource(store)
  if (source === null || origins.every((origin) => source.domains.includes(origin))) return
  const hosts = new Set(origins.map((origin) => new URL(origin).hostname))
  const isServerHost = (domain: string) => hosts.has(parseUrl(domain)?.hostname ?? '')
  if (source.domains.every(isServerHost)) await store.sources.update(source.orgId, source.id, { domains: [...origins] })
}
