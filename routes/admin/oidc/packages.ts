import { importOptional } from '../../../lib/optional-package.js'

/** The optional packages of `adminOidc`. */
export interface OidcPackages {
  readonly client: typeof import('openid-client')
  readonly jose: typeof import('jose')
}

/** Loads the packages. Rejects with the name of a missing one. */
export async function loadPackages (): Promise<OidcPackages> {
  const why = 'The adminOidc plugin'
  // openid-client needs jose itself, so a missing jose is reported by its name only if it is loaded first.
  const jose = await importOptional('jose', () => import('jose'), why)
  return { jose, client: await importOptional('openid-client', () => import('openid-client'), why) }
}
