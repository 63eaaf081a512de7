import type { Environment, VariableName } from './environment.js'
import type { Problems } from './problems.js'

export type DataBrainConfig =
  | { mock: true, dataApp: string | undefined, errorStatus: Environment['DATABRAIN_ERROR_STATUS'] }
  | {
    mock: false
    apiKey: string
    apiUrl: string | undefined
    upstreamUrl: string | undefined
    dataApp: string
    errorStatus: Environment['DATABRAIN_ERROR_STATUS']
  }

export type BoldBiConfig = { mock: true } | { mock: false, apiUrl: string, embedSecret: string }

interface DxFeedCommon {
  issuer: string
  session: string
  /** The user id from dxFeed. */
  user: string | undefined
  filters: string[]
  timeUnit: 'ms' | 's'
  minutes: number
}

export type DxFeedConfig = DxFeedCommon & ({ mock: true } | { mock: false, secret: string })

// The proxy key and the data app are settings of this server, so they are valid with the mock product too.
export function databrainOf (environment: Environment, problems: Problems): DataBrainConfig | null {
  const {
    DATABRAIN,
    DATABRAIN_API_KEY: apiKey,
    DATABRAIN_API_URL: apiUrl,
    DATABRAIN_DATA_APP: dataApp,
    DATABRAIN_ERROR_STATUS: errorStatus
  } = environment
  const { DATABRAIN_UPSTREAM_URL: upstreamUrl } = environment
  if (DATABRAIN === 'off') return null
  if (apiKey === undefined && apiUrl === undefined && upstreamUrl === undefined) {
    return { mock: true, dataApp, errorStatus }
  }
  const present = apiKey !== undefined
    ? 'DATABRAIN_API_KEY'
    : apiUrl !== undefined
      ? 'DATABRAIN_API_URL'
      : 'DATABRAIN_UPSTREAM_URL'
  demand(environment, ['DATABRAIN_API_KEY', 'DATABRAIN_PROXY_KEY', 'DATABRAIN_DATA_APP'], present, problems)
  return { mock: false, apiKey: apiKey ?? '', apiUrl, upstreamUrl, dataApp: dataApp ?? '', errorStatus }
}

export function boldbiOf (environment: Environment, problems: Problems): BoldBiConfig | null {
  const { BOLDBI, BOLDBI_API_URL: apiUrl, BOLDBI_EMBED_SECRET: embedSecret } = environment
  if (BOLDBI === 'off') return null
  if (apiUrl === undefined && embedSecret === undefined) return { mock: true }
  demand(
    environment,
    ['BOLDBI_API_URL', 'BOLDBI_EMBED_SECRET'],
    apiUrl === undefined ? 'BOLDBI_EMBED_SECRET' : 'BOLDBI_API_URL',
    problems
  )
  return { mock: false, apiUrl: apiUrl ?? '', embedSecret: embedSecret ?? '' }
}

export function dxfeedOf (environment: Environment, problems: Problems): DxFeedConfig | null {
  const {
    DXFEED_SECRET: secret,
    DXFEED_ISSUER: issuer,
    DXFEED_SESSION: session,
    DXFEED_TIME_UNIT: timeUnit,
    DXFEED_MINUTES: minutes
  } = environment
  if (environment.DXFEED === 'off') return null
  const filters = (environment.DXFEED_FILTERS ?? '').split(/[,;]/).map((filter) => filter.trim()).filter((filter) =>
    filter !== ''
  )
  const user = environment.DXFEED_USER
  const common = { user, filters, timeUnit, minutes }
  if (secret === undefined && issuer === undefined && session === undefined) {
    return { mock: true, issuer: 'demo', session: 'web', ...common }
  }
  const present: VariableName = secret !== undefined
    ? 'DXFEED_SECRET'
    : issuer !== undefined
      ? 'DXFEED_ISSUER'
      : 'DXFEED_SESSION'
  demand(environment, ['DXFEED_SECRET', 'DXFEED_ISSUER', 'DXFEED_SESSION'], present, problems)
  return { mock: false, secret: secret ?? '', issuer: issuer ?? '', session: session ?? '', ...common }
}

/** Requires all variables of a product as soon as one is set. */
function demand (
  environment: Environment,
  needed: readonly VariableName[],
  present: VariableName,
  problems: Problems
): void {
  for (const name of needed) {
    if (environment[name] === undefined) {
      problems.add(name, `is missing although ${present} is set; set both, or unset both to use the mock product`)
    }
  }
}
