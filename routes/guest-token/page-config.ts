export interface PageConfigOptions {
  /** The public URL of the guest-token route, as DataBrain's servers reach it. */
  url: string
  /** One of the route's `proxyKeys`. Every visitor of the page can read it: it names no user. */
  proxyKey: string
  /** Who looks at the page: `app.userReference.sign({ sub })`. */
  reference: string
  /** The DataBrain API of a self-hosted installation. Default: left out, the product's own cloud. */
  baseUrl?: string | undefined
}

export interface ProxyPageConfigOptions {
  /** The public URL of the `databrainProxy` routes, its prefix included, as the page's browser reaches it. */
  proxyUrl: string
  /** One of the proxy's `proxyKeys`. Every visitor of the page can read it: it names no user. */
  proxyKey: string
}

/** What the page sets as `window.dbn`. */
export interface PageConfig {
  proxyAuthUrl: string
  proxyAuthKey: string
  baseUrl?: string
}

/** The same for a page whose component calls through `databrainProxy`. */
export interface ProxyPageConfig {
  /** In the place of DataBrain's backend: `/api/v2/…` is put behind it. */
  baseUrl: string
  /** Sent as `X-Proxy-Auth-Key`. */
  proxyAuthKey: string
}

/**
 * The `window.dbn` object of a page with DataBrain components: for the guest-token route, for one user; or, with `proxyUrl`, for the proxy, which knows
 * the user by the page's cookies. Throws a TypeError for a URL that is not absolute and for a member that is missing.
 */
export function pageConfig (options: PageConfigOptions): PageConfig
export function pageConfig (options: ProxyPageConfigOptions): ProxyPageConfig
export function pageConfig (options: PageConfigOptions | ProxyPageConfigOptions): PageConfig | ProxyPageConfig {
  const { proxyKey } = options
  if (typeof proxyKey !== 'string' || proxyKey === '') throw new TypeError('pageConfig: "proxyKey" is missing')
  return 'proxyUrl' in options ? proxyConfig(options) : tokenConfig(options)
}

function tokenConfig ({ url, proxyKey, reference, baseUrl }: PageConfigOptions): PageConfig {
  const proxyAuthUrl = absolute(url, 'url')
  if (typeof reference !== 'string' || reference === '') throw new TypeError('pageConfig: "reference" is missing')
  proxyAuthUrl.searchParams.set('ref', reference)
  return { proxyAuthUrl: proxyAuthUrl.href, proxyAuthKey: proxyKey, ...baseUrl === undefined ? {} : { baseUrl } }
}

function proxyConfig ({ proxyUrl, proxyKey }: ProxyPageConfigOptions): ProxyPageConfig {
  const { href, search, hash } = absolute(proxyUrl, 'proxyUrl')
  if (search + hash !== '') throw new TypeError('pageConfig: "proxyUrl" must have no query and no fragment: paths are put behind it')
  return { baseUrl: href.replace(/\/+$/, ''), proxyAuthKey: proxyKey }
}

function absolute (text: string, name: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !['http:', 'https:'].includes(url.protocol)) throw new TypeError(`pageConfig: "${name}" must be an absolute http(s) URL`)
  return url
}
