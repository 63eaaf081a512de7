import type { Config } from './config/index.js'
import type { BoldBiConfig, DataBrainConfig, DxFeedConfig } from './config/products.js'
import { startBoldBi } from './mock-products/boldbi.js'
import { startDataBrain } from './mock-products/databrain.js'
import { startDxFeed } from './mock-products/dxfeed.js'
import type { DxFeed } from './mock-products/dxfeed.js'
import type { MockProduct } from './mock-products/mock-product.js'
import { CallRecorder } from './start-page/calls.js'

/** The configuration of a real product; a mock product has the same properties. */
type RealProduct<Product extends { mock: boolean }> = Omit<Extract<Product, { mock: false }>, 'mock'>

/** The products that the routes use. `mockOrigin` is the origin of the mock product, or `null` for a real product. */
export interface Products {
  databrain: RealProduct<DataBrainConfig> & { mockOrigin: string | null } | null
  boldbi: RealProduct<BoldBiConfig> & { mockOrigin: string | null } | null
  dxfeed: RealProduct<DxFeedConfig> & {
    mockOrigin: string | null
    /** The paths of the mock product's widget; `null` for the real product. */
    paths: DxFeed['paths'] | null
  } | null
  /** The calls of the start page's sessions, which the mock products record. */
  calls: CallRecorder
  /** Stops the mock products. */
  close(): Promise<void>
}

export const GUEST_TOKEN_PATH = '/api/databrain/guest-token'
export const RENEWAL_PATH = '/api/databrain/proxy-auth-url'
export const PROXY_PATH = '/api/databrain/proxy'

/**
 * Starts a mock product for each unconfigured product. `origins` are the server's own; mock products call the first.
 */
export async function startProducts (
  { databrain, boldbi, dxfeed }: Pick<Config, 'databrain' | 'boldbi' | 'dxfeed'>,
  origins: readonly string[]
): Promise<Products> {
  const started: MockProduct[] = []
  const calls = new CallRecorder()
  const track = async <S extends MockProduct>(starting: Promise<S>): Promise<S> => {
    const mock = await starting
    started.push(mock)
    return mock
  }
  return {
    calls,
    databrain: databrain === null ? null : await databrainOf(databrain, origins, calls, track),
    boldbi: boldbi === null ? null : await boldbiOf(boldbi, origins, calls, track),
    dxfeed: dxfeed === null ? null : await dxfeedOf(dxfeed, origins, calls, track),
    async close () {
      await Promise.all(started.map((mock) => mock.close()))
    }
  }
}

type TrackMock = <S extends MockProduct>(starting: Promise<S>) => Promise<S>

async function databrainOf (
  config: NonNullable<Config['databrain']>,
  embedders: readonly string[],
  calls: CallRecorder,
  track: TrackMock
): Promise<Products['databrain']> {
  if (!config.mock) return { ...config, mockOrigin: null }
  const proxyAuthUrls = embedders.map((origin) => origin + GUEST_TOKEN_PATH)
  const { apiKey, origin } = await track(startDataBrain({ embedders, proxyAuthUrls, calls }))
  return {
    ...config,
    apiKey,
    apiUrl: origin,
    upstreamUrl: origin,
    dataApp: config.dataApp ?? 'Revenue',
    mockOrigin: origin
  }
}

async function boldbiOf (
  config: NonNullable<Config['boldbi']>,
  embedders: readonly string[],
  calls: CallRecorder,
  track: TrackMock
): Promise<Products['boldbi']> {
  if (!config.mock) return { ...config, mockOrigin: null }
  const { apiUrl, embedSecret, origin } = await track(startBoldBi({ embedders, calls }))
  return { apiUrl, embedSecret, mockOrigin: origin }
}

async function dxfeedOf (
  config: NonNullable<Config['dxfeed']>,
  embedders: readonly string[],
  calls: CallRecorder,
  track: TrackMock
): Promise<Products['dxfeed']> {
  if (!config.mock) return { ...config, mockOrigin: null, paths: null }
  const { secret, origin, paths } = await track(startDxFeed({ embedders, calls, ...config }))
  return { ...config, secret, mockOrigin: origin, paths }
}
