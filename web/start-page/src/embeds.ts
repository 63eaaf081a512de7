import { keepToken } from '../../browser/browser.js'
import { solveCaptcha } from '../captcha.js'
import { post, readJson, Refused, traced } from './page.ts'
import type { PageData } from './page.ts'

export const DASHBOARD = 'c5bab292-0ee6-4ee7-9dfa-d6b3cffed7ff'

/** Where an embed appears, and what is reported about it. */
export interface Stage {
  element: HTMLElement
  page: PageData
  attack: string | null
  signal: AbortSignal
  onLoaded (): void
  onRefused (error: Error): void
}

/** Like the product's component: the product's servers fetch the guest token. */
export async function showDataBrain (stage: Stage): Promise<void> {
  const { page, attack, signal } = stage
  const { databrain } = page
  if (databrain?.mockOrigin == null || databrain.page === null) return
  const dbn = { ...databrain.page }
  if (attack === 'wrong-key') dbn['proxyAuthKey'] = 'not-the-proxy-key-of-this-server'
  if (attack === 'expired-reference') Object.assign(dbn, await post('/demo/attack', { attack }))
  // Where the product's component reads it.
  Object.assign(window, { dbn })
  const hash = new URLSearchParams(Object.entries(dbn).map(([name, value]) => [name, String(value)]))
  showFrame(stage, 'DataBrain dashboard', `${traced(`${databrain.mockOrigin}/component`, page)}#${hash}`)
  if (attack === null && databrain.renewal !== null) renewProxyAuthUrl(databrain.renewal, dbn, page, signal)
}

/** Keeps `proxyAuthUrl` valid while the page is open. */
function renewProxyAuthUrl (url: string, dbn: Record<string, unknown>, page: PageData, signal: AbortSignal): void {
  keepToken({
    signal,
    async fetch (signal) {
      const response = await fetch(url, { cache: 'no-store', headers: await csrfOf(page), signal })
      if (!response.ok) return response
      const { proxyAuthUrl, ...times } = await response.json() as { proxyAuthUrl: string }
      return { token: proxyAuthUrl, ...times }
    },
    onToken (proxyAuthUrl) {
      dbn['proxyAuthUrl'] = proxyAuthUrl
    },
    // A revoked user gets no further URL; the frame shows why.
    onError () {}
  })
}

/** Like the product's SDK: one POST to the authorization server, then the frame. */
export async function showBoldBi (stage: Stage): Promise<void> {
  const { page, attack } = stage
  const { boldbi } = page
  if (boldbi?.mockOrigin == null) return
  const pairs = [
    ['embed_nonce', uuid()],
    ['embed_dashboard_id', DASHBOARD],
    ['embed_mode', 'view'],
    ['embed_timestamp', Math.floor(Date.now() / 1000)],
    ['embed_expirationtime', 86_400]
  ]
  if (attack === 'tampered') pairs.push(['embed_user_email', 'ceo@example.com'])
  const body = JSON.stringify({
    embedQuerString: pairs.map((pair) => pair.join('=')).join('&'),
    dashboardServerApiUrl: boldbi.apiUrl
  })
  const authorize = async (): Promise<{ Data: { DashboardUrl: string } }> => {
    const headers = { 'content-type': 'application/json', ...await csrfOf(page) }
    return await readJson(await fetch('/authorize', { method: 'POST', headers, body })) as never
  }
  if (attack === 'replay') await authorize()
  const { Data } = await authorize()
  showFrame(stage, 'Bold BI dashboard', traced(boldbi.mockOrigin + Data.DashboardUrl, page))
}

/** Shows a mock product's page, which posts a message when it has loaded or was refused. */
function showFrame ({ element, signal, onLoaded, onRefused }: Stage, title: string, url: string): void {
  const frame = document.createElement('iframe')
  frame.title = title
  const { origin } = new URL(url)
  addEventListener('message', ({ source, origin: from, data }) => {
    if (from !== origin || source !== frame.contentWindow) return
    if (data === 'gatehouse:loaded') onLoaded()
    if (data === 'gatehouse:refused') onRefused(new Error('The component shows the reason.'))
  }, { signal })
  frame.src = url
  element.replaceChildren(frame)
}

/** Requests a widget token, with a CSRF token and a solved captcha if the server requires them. */
export async function fetchWidgetToken (page: PageData, signal: AbortSignal): Promise<Response> {
  const headers = { ...await csrfOf(page), ...await captchaOf(page) }
  return await fetch('/api/generate-token', { cache: 'no-store', headers, signal })
}

let csrfToken: Promise<string> | null = null

/** Forgets the token of the former session. */
export function forgetCsrfToken (): void {
  csrfToken = null
}

/** Returns the header with a CSRF token. All requests share one, because its first request sets the related cookie. */
async function csrfOf ({ csrf }: PageData): Promise<Record<string, string>> {
  if (!csrf) return {}
  csrfToken ??= fetch('/csrf/token').then(readJson).then((body) => (body as { token: string }).token).catch((error) => {
    // The next embed requests a token again.
    csrfToken = null
    throw error
  })
  return { 'x-csrf-token': await csrfToken }
}

/** Returns the header with a solved captcha, which is valid once. */
async function captchaOf ({ captcha }: PageData): Promise<Record<string, string>> {
  if (captcha === null) return {}
  if (captcha !== 'altcha') throw new Error(`The widget token requires ${captcha}, which only your own page can show.`)
  return { 'x-captcha-token': await solveCaptcha('/captcha/challenge?action=widget') }
}

/** Like the product's newer component: calls the product through this server's proxy. Returns what to show. */
export async function throughProxy ({ databrain }: PageData): Promise<string> {
  if (databrain?.proxy == null) return ''
  const { url, key } = databrain.proxy
  const headers = { 'x-proxy-auth-key': key }
  const { data } = await readJson(
    await fetch(`${url}/api/v2/dashboard?dashboardId=revenue`, { headers })
  ) as { data: { externalDashboard: { name: string }, clientId: string } }
  return `${data.externalDashboard.name} of ${data.clientId}`
}

/** Performs the attack of another site's page, by the server, and throws its refusal. */
export async function attackFromElsewhere (attack: string): Promise<never> {
  const { status, body } = await post('/demo/attack', { attack }) as { status: number, body: unknown }
  const { error } = body as { error?: { code?: string, message?: string } }
  throw new Refused(error?.message ?? 'The attack was not refused.', status, error?.code ?? null)
}

/** Returns a random UUID; `crypto.randomUUID` is missing on a page that was loaded by http from another machine. */
export function uuid (): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`
}
