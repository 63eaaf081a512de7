import { request } from 'undici'

import type { Target } from '../routes/fleet.js'

export interface Download {
  url: string
  token: string
  /** Such as `ndjson gzip`. */
  format: string
  /** Where the export continues. */
  cursor?: string | null
}

/** Yields the body of an export as it arrives. A connection that is cut is an error. */
export async function * download ({ url, token, format, cursor = null }: Download): AsyncGenerator<Buffer> {
  const [name = '', coding = 'identity'] = format.split(' ')
  const query = new URLSearchParams({ format: name, ...cursor === null ? {} : { cursor } })
  const { body, statusCode } = await request(`${url}/v1/admin/events/export?${query}`, {
    headers: { authorization: `Bearer ${token}`, 'accept-encoding': coding }
  })
  if (statusCode !== 200) throw new Error(`${statusCode}: ${await body.text()}`)
  yield * body as AsyncIterable<Buffer>
}

/** Starts a session of the administrator; resolves with the access token. */
export async function signIn (target: Target): Promise<string> {
  return (await target.session()).access_token
}
