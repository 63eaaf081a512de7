/** What the server tells the page: `GET /demo/page.json`. */
export interface PageData {
  user: string | null
  users: string[]
  /** The id by which frames of mock products refer to this session; `null` without a session. */
  trace: string | null
  /** The beginning of the message ids of this session's events. */
  eventPrefix: string | null
  attacks: boolean
  links: { console: boolean, docs: boolean }
  revoked: boolean
  databrain: {
    mockOrigin: string | null
    page: Record<string, unknown> | null
    renewal: string | null
    proxy: { url: string, key: string } | null
  } | null
  boldbi: { apiUrl: string, mockOrigin: string | null } | null
  dxfeed: {
    mockOrigin: string | null
    paths: { feedPath: string, ipfPath: string, schedulePath: string } | null
  } | null
  pipelineKey: string | null
  captcha: string | null
  csrf: boolean
}

/** A refusal of a server, with its status and code. */
export class Refused extends Error {
  constructor (message: string, readonly status: number, readonly code: string | null) {
    super(message)
  }
}

export async function loadPage (): Promise<PageData> {
  return await readJson(await fetch('/demo/page.json', { cache: 'no-store' })) as PageData
}

/** Returns the body of a response. Throws `Refused` for an error. */
export async function readJson (response: Response): Promise<unknown> {
  const body = await response.json().catch(() => ({})) as {
    error?: { code?: string, message?: string }
    ApiStatus?: boolean
    Message?: string
  }
  if (response.ok && body.ApiStatus !== false) return body
  throw new Refused(
    body.error?.message ?? body.Message ?? `The server responded with ${response.status}.`,
    response.status,
    body.error?.code ?? null
  )
}

export async function post (url: string, body: object): Promise<unknown> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  return response.status === 204 ? {} : await readJson(response)
}

/** Adds the session's trace to the URL of a mock product, so that its requests appear in the timeline. */
export function traced (url: string, { trace }: PageData): string {
  return trace === null ? url : `${url}${url.includes('?') ? '&' : '?'}trace=${trace}`
}
