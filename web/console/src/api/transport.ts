import { errorOf, isAborted, unreachable } from './errors.ts'

const base = new URL(
  document.querySelector<HTMLMetaElement>('meta[name=gatehouse-api]')?.content ?? '../v1/admin/',
  document.baseURI
)

/** The folder of the console, such as `/console/`. */
export const HOME = new URL(document.baseURI).pathname

export interface Outgoing {
  method: string
  /** Below the path of the admin API. */
  path: string
  query?: Readonly<Record<string, unknown>> | undefined
  body?: unknown
  headers?: Readonly<Record<string, string>> | undefined
  signal?: AbortSignal | undefined
}

/** Returns the URL of a route of the admin API. */
export function urlOf (path: string, query: Outgoing['query'] = {}): URL {
  const url = new URL(path, base)
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') url.searchParams.set(name, String(value))
  }
  return url
}

/** Sends a request. Asks for the refresh token in the cookie, where no script can read it. */
export async function send ({ method, path, query, body, headers, signal }: Outgoing): Promise<Response> {
  try {
    return await fetch(urlOf(path, query), {
      method: method.toUpperCase(),
      headers: {
        'X-Token-Delivery': 'cookie',
        ...body === undefined ? {} : { 'Content-Type': 'application/json' },
        ...headers
      },
      ...body === undefined ? {} : { body: JSON.stringify(body) },
      ...signal === undefined ? {} : { signal }
    })
  } catch (error) {
    throw isAborted(error) ? error : unreachable()
  }
}

/** Reads the JSON of a successful response, `null` without a body. Throws `ApiError`. */
export async function read (response: Response): Promise<unknown> {
  if (!response.ok) throw await errorOf(response)
  const text = await response.text()
  return text === '' ? null : JSON.parse(text)
}
