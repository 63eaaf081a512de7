import { assertKnownOptions } from '../../../signing/known-options.js'
import type { KnownOptions } from '../../../signing/known-options.js'
import { parseUrl } from '../../../signing/parse-url.js'

export interface PageConfigOptions {
  /** The public URL of the guest-token route, as DataBrain's servers reach it. */
  url: string
  /** One of the route's `proxyKeys`. Every visitor of the page can read it: it identifies no user. */
  proxyKey: string
  /** The user of the page: `app.userReference.sign({ sub })`. */
  reference: string
  /** The base URL of the DataBrain instance. Default: `https://app.usedatabrain.com`. */
  baseUrl?: string | undefined
}

export interface ProxyPageConfigOptions {
  /** The public URL of the `databrainProxy` routes, its prefix included, as the page's browser reaches it. */
  proxyUrl: string
  /** One of the proxy's `proxyKeys`. Every visitor of the page can read it: it identifies no user. */
  proxyKey: string
}

/** The page's `window.dbn`, with all the properties that DataBrain's page on proxy authentication requires. */
export interface PageConfig {
  /** The DataBrain instance. */
  baseUrl: string
  /** The guest-token route, with the user reference. DataBrain's servers call it. */
  proxyAuthUrl: string
  /** DataBrain's servers send it as a Bearer token. */
  proxyAuthKey: string
  /** Without it the component stays in direct-token mode. */
  isEnableProxyAuth: true
}

/** The `window.dbn` of a page whose component calls through `databrainProxy`. */
export interface ProxyPageConfig {
  /** The proxy, in place of DataBrain's backend: the component appends `/api/v2/…` to it. */
  baseUrl: string
  /** Sent as `X-Proxy-Auth-Key`. */
  proxyAuthKey: string
}

const OF_TOKEN: KnownOptions<PageConfigOptions> = { url: true, proxyKey: true, reference: true, baseUrl: true }
const OF_PROXY: KnownOptions<ProxyPageConfigOptions> = { proxyUrl: true, proxyKey: true }
const PRODUCT = 'https://app.usedatabrain.com'

/**
 * Returns the `window.dbn` object of a page with DataBrain components: for the guest-token route, for one user; or,
 * with `proxyUrl`, for the proxy, which identifies the user by the page's cookies. Throws a TypeError for a URL that is
 * not an absolute http(s) URL and for a missing property.
 *
 * @example
 * const dbn = pageConfig({
 *   url: 'https://app.example.com/api/databrain/guest-token',
 *   proxyKey: process.env.DATABRAIN_PROXY_KEY,
 *   reference: app.userReference.sign({ sub: user.id })
 * })
 */
export function pageConfig (options: PageConfigOptions): PageConfig
export function pageConfig (options: ProxyPageConfigOptions): ProxyPageConfig
export function pageConfig (options: PageConfigOptions | ProxyPageConfigOptions): PageConfig | ProxyPageConfig {
  assertKnownOptions('pageConfig', options, 'proxyUrl' in options ? OF_PROXY : OF_TOKEN)
  const { proxyKey } = options
  if (typeof proxyKey !== 'string' || proxyKey === '') throw new TypeError('pageConfig: "proxyKey" is missing')
  return 'proxyUrl' in options ? proxyConfig(options) : tokenConfig(options)
}

/** Returns the guest-token route's URL with a user reference. Throws a TypeError for a URL that is not absolute. */
export function proxyAuthUrl (url: string, reference: string): string {
  if (typeof reference !== 'string' || reference === '') throw new TypeError('pageConfig: "reference" is missing')
  const complete = absolute(url, 'url')
  complete.searchParams.set('ref', reference)
  return complete.href
}

function tokenConfig ({ url, proxyKey, reference, baseUrl = PRODUCT }: PageConfigOptions): PageConfig {
  return {
    baseUrl: withoutSlash(absolute(baseUrl, 'baseUrl').href),
    proxyAuthUrl: proxyAuthUrl(url, reference),
    proxyAuthKey: proxyKey,
    isEnableProxyAuth: true
  }
}

function proxyConfig ({ proxyUrl, proxyKey }: ProxyPageConfigOptions): ProxyPageConfig {
  const { href, search, hash } = absolute(proxyUrl, 'proxyUrl')
  if (search + hash !== '') {
    throw new TypeError('pageConfig: "proxyUrl" must not have a query or a fragment, because paths are appended to it')
  }
  return { baseUrl: withoutSlash(href), proxyAuthKey: proxyKey }
}

/** Removes trailing slashes, because the component appends paths that begin with a slash. */
function withoutSlash (href: string): string {
  return href.replace(/\/+$/, '')
}

function absolute (text: string, name: string): URL {
  const url = parseUrl(text)
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new TypeError(`pageConfig: "${name}" must be an absolute http(s) URL`)
  }
  return url
}
