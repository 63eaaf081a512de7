import { importOptionalLater } from '../../../lib/optional-package.js'

/** The optional packages of `adminOidc`. */
export interface OidcPackages {
  readonly client: typeof import('openid-client')
  readonly jose: typeof import('jose')
}

/** Loads the packages at the first call: most processes never talk to a provider. */
export type LoadPackages = () => Promise<OidcPackages>

/** Rejects with the name of a missing package. */
export async function openPackages (): Promise<LoadPackages> {
  const why = 'The adminOidc plugin'
  // openid-client needs jose itself, so a missing jose is reported by its name only if it is looked for first.
  const loadJose = await importOptionalLater('jose', () => import('jose'), why)
  const loadClient = await importOptionalLater('openid-client', () => import('openid-client'), why)
  return async () => ({ jose: await loadJose(), client: await loadClient() })
}
