import type { Config } from './config/index.js'
import { startBoldBi } from './mock-products/boldbi.js'
import { startDataBrain } from './mock-products/databrain.js'
import { startDxFeed } from './mock-products/dxfeed.js'
import type { DxFeed } from './mock-products/dxfeed.js'
import type { StandIn } from './mock-products/mock-product.js'

/** The products as the routes need them, real or stood in for; `standIn`: where the stand-in is, `null` for a real product. */
export interface Products {
  databrain: { apiKey: string, apiUrl: string | undefined, upstreamUrl: string | undefined, dataApp: string, errorStatus: 'product' | 'gateway', standIn: string | null } | null
  boldbi: { apiUrl: string, embedSecret: string, standIn: string | null } | null
  dxfeed: {
    secret: string
    issuer: string
    session: string
    user: string | undefined
    filters: string[]
    timeUnit: 'ms' | 's'
    minutes: number
    standIn: string | null
    /** The paths of the mock product's widget; `null` for the real product. */
    paths: DxFeed['paths'] | null
  } | null
  /** Stops the stand-ins. */
  close (): Promise<void>
}

export const GUEST_TOKEN_PATH = '/api/databrain/guest-token'
export const RENEWAL_PATH = '/api/databrain/proxy-auth-url'
export const PROXY_PATH = '/api/databrain/proxy'

/** Starts a stand-in for every product that is not configured; `origins` are those of our own pages, the first one that the stand-ins call. */
export async function startProducts ({ databrain, boldbi, dxfeed }: Pick<Config, 'databrain' | 'boldbi' | 'dxfeed'>, origins: readonly string[]): Promise<Products> {
  const started: StandIn[] = []
  const keep = async <S extends StandIn>(starting: Promise<S>): Promise<S> => {
    const standIn = await starting
    started.push(standIn)
    return standIn
  }
  return {
    databrain: databrain === null ? null : await databrainOf(databrain, origins, keep),
    boldbi: boldbi === null ? null : await boldbiOf(boldbi, origins, keep),
    dxfeed: dxfeed === null ? null : await dxfeedOf(dxfeed, origins, keep),
    async close () {
      await Promise.all(started.map((standIn) => standIn.close()))
    }
  }
}

type Keep = <S extends StandIn>(starting: Promise<S>) => Promise<S>

async function databrainOf (config: NonNullable<Config['databrain']>, embedders: readonly string[], keep: Keep): Promise<Products['databrain']> {
  if (!config.standIn) return { ...config, standIn: null }
  const proxyAuthUrls = embedders.map((origin) => origin + GUEST_TOKEN_PATH)
  const { apiKey, origin } = await keep(startDataBrain({ embedders, proxyAuthUrls }))
  return { ...config, apiKey, apiUrl: origin, upstreamUrl: origin, dataApp: config.dataApp ?? 'Revenue', standIn: origin }
}

async function boldbiOf (config: NonNullable<Config['boldbi']>, embedders: readonly string[], keep: Keep): Promise<Products['boldbi']> {
  if (!config.standIn) return { ...config, standIn: null }
  const { apiUrl, embedSecret, origin } = await keep(startBoldBi({ embedders }))
  return { apiUrl, embedSecret, standIn: origin }
}

async function dxfeedOf (config: NonNullable<Config['dxfeed']>, embedders: readonly string[], keep: Keep): Promise<Products['dxfeed']> {
  if (!config.standIn) return { ...config, standIn: null, paths: null }
  const { secret, origin, paths } = await keep(startDxFeed({ embedders, ...config }))
  return { ...config, secret, standIn: origin, paths }
}
