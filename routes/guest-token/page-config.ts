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

/** What the page sets as `window.dbn`. */
export interface PageConfig {
  proxyAuthUrl: string
  proxyAuthKey: string
  baseUrl?: string
}

/** The `window.dbn` object of a page with DataBrain components, for one user. Throws a TypeError for a URL that is not absolute. */
export function pageConfig ({ url, proxyKey, reference, baseUrl }: PageConfigOptions): PageConfig {
  const proxyAuthUrl = URL.canParse(url) ? new URL(url) : null
  if (proxyAuthUrl === null || !['http:', 'https:'].includes(proxyAuthUrl.protocol)) throw new TypeError('pageConfig: "url" must be an absolute http(s) URL')
  if (typeof proxyKey !== 'string' || proxyKey === '') throw new TypeError('pageConfig: "proxyKey" is missing')
  if (typeof reference !== 'string' || reference === '') throw new TypeError('pageConfig: "reference" is missing')
  proxyAuthUrl.searchParams.set('ref', reference)
  return { proxyAuthUrl: proxyAuthUrl.href, proxyAuthKey: proxyKey, ...baseUrl === undefined ? {} : { baseUrl } }
}
