import { importOptional } from '../../../lib/optional-package.js'

/** The optional packages of `adminOidc`. */
export interface OidcPackages {
  readonly client: typeof import('openid-client')
  readonly jose: typeof import('jose')
}

/** Loads the packages. Rejects with the name of a missing one. */
export async function loadPackages (): Promise<OidcPackages> {
  const why = 'The adminOidc plugin'
  const [client, jose] = await Promise.all([
    importOptional('openid-client', () => import('openid-client'), why),
    importOptional('jose', () => import('jose'), why)
  ])
  return { client, jose }
}
