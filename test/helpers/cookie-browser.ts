interface Cookie { value: string, path: string }

/** A response as the browser sees it. */
export interface Page {
  url: URL
  status: number
  headers: Headers
  text: string
}

/** A browser without scripts: keeps cookies per host and path, follows redirects and sends forms. */
export class CookieBrowser {
  readonly #jars = new Map<string, Map<string, Cookie>>()

  /** Opens a URL and follows redirects, until one leads to a URL for which `until` returns `true`. */
  async open (
    address: string | URL,
    init: RequestInit = {},
    until: (url: URL) => boolean = () => false
  ): Promise<Page> {
    let [url, request] = [new URL(address), init]
    for (let redirects = 0; redirects < 20; redirects++) {
      const response = await this.#send(url, request)
      const location = response.headers.get('location')
      const text = await response.text()
      const { status, headers } = response
      if (location === null || status < 300) return { url, status, headers, text }
      const next = new URL(location, url)
      if (until(next)) return { url: next, status, headers, text: '' }
      ;[url, request] = [next, {}]
    }
    throw new Error(`too many redirects at ${url.href}`)
  }

  /** Sends the form of a page. Its hidden fields are sent too. */
  async submit (page: Page, fields: Record<string, string>, until?: (url: URL) => boolean): Promise<Page> {
    const action = /<form[^>]*action="([^"]+)"/.exec(page.text)?.[1]
    if (action === undefined) throw new Error(`no form at ${page.url.href}: ${page.status} ${page.text.slice(0, 500)}`)
    const hidden = [...page.text.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)]
      .map(([, name = '', value = '']): [string, string] => [name, value])
    const body = new URLSearchParams({ ...Object.fromEntries(hidden), ...fields })
    return await this.open(new URL(action.replaceAll('&amp;', '&'), page.url), { method: 'POST', body }, until)
  }

  /** Returns the Cookie header for a URL. */
  cookiesFor ({ hostname, pathname }: URL): string {
    return [...this.#jars.get(hostname) ?? []]
      .filter(([, { path }]) => pathname.startsWith(path))
      .map(([name, { value }]) => `${name}=${value}`)
      .join('; ')
  }

  async #send (url: URL, init: RequestInit): Promise<Response> {
    const cookie = this.cookiesFor(url)
    const headers = { ...init.headers as Record<string, string>, ...cookie === '' ? {} : { cookie } }
    const response = await fetch(url, { ...init, headers, redirect: 'manual' })
    for (const line of response.headers.getSetCookie()) this.#keep(url, line)
    return response
  }

  #keep ({ hostname, pathname }: URL, line: string): void {
    const [pair = '', ...attributes] = line.split(/;\s*/)
    const name = pair.slice(0, pair.indexOf('='))
    const value = pair.slice(pair.indexOf('=') + 1)
    const path = attributes.find((attribute) => /^path=/i.test(attribute))?.slice(5) ?? pathname
    const expires = attributes.find((attribute) => /^expires=/i.test(attribute))?.slice(8)
    const isOver = attributes.some((attribute) => /^max-age=0$/i.test(attribute)) ||
      (expires !== undefined && Date.parse(expires) < Date.now())
    const jar = this.#jars.get(hostname) ?? new Map<string, Cookie>()
    this.#jars.set(hostname, jar)
    if (isOver) jar.delete(name)
    else jar.set(name, { value, path })
  }
}
