/** A response as a visitor sees it. */
export interface Visit {
  url: string
  status: number
  headers: Headers
  /** Where the response redirects to, or `null`. */
  location: string | null
  html: string
}

/** A browser without scripts: keeps cookies, follows no redirect by itself, and sends the form of a page. */
export class Visitor {
  readonly #cookies = new Map<string, string>()

  /** Returns another browser with the same cookies. */
  copy (): Visitor {
    const visitor = new Visitor()
    for (const [host, cookie] of this.#cookies) visitor.#cookies.set(host, cookie)
    return visitor
  }

  async open (url: string, init: RequestInit = {}): Promise<Visit> {
    const { hostname } = new URL(url)
    const cookie = this.#cookies.get(hostname)
    const response = await fetch(url, {
      ...init,
      redirect: 'manual',
      headers: { ...init.headers as Record<string, string>, ...cookie === undefined ? {} : { cookie } }
    })
    const [set] = response.headers.getSetCookie()
    if (set !== undefined) this.#cookies.set(hostname, set.split(';')[0] ?? '')
    const location = response.headers.get('location')
    return {
      url,
      status: response.status,
      headers: response.headers,
      location: location === null ? null : new URL(location, url).href,
      html: await response.text()
    }
  }

  /** Sends the form of a page with its hidden fields and one button, and with `Origin`, as browsers do. */
  async press (page: Visit, button: Readonly<Record<string, string>>): Promise<Visit> {
    const { action, fields } = formOf(page)
    return this.open(action, {
      method: 'POST',
      headers: { origin: new URL(page.url).origin },
      body: new URLSearchParams({ ...fields, ...button })
    })
  }
}

/** Returns the target and the hidden fields of the form on a page. */
export function formOf ({ html, url }: Visit): { action: string, fields: Record<string, string> } {
  const action = /<form method="post" action="([^"]+)">/.exec(html)?.[1]
  if (action === undefined) throw new Error(`no form in ${html}`)
  const hidden = [...html.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)">/g)]
  return {
    action: new URL(unescapeHtml(action), url).href,
    fields: Object.fromEntries(hidden.map(([, name = '', value = '']) => [name, unescapeHtml(value)]))
  }
}

function unescapeHtml (text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
}
