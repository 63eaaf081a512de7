import type { CustomFetch } from 'openid-client'

import { UPSTREAM_ERROR } from '../../../lib/errors.js'
import { isLoopback, providerUrl } from '../../../lib/identity-provider/provider-url.js'
import { upstreamClient } from '../../../lib/upstream-client/index.js'
import type { UpstreamClientOptions } from '../../../lib/upstream-client/index.js'
import { tracedUpstream } from '../../../lib/upstream-client/traced.js'

export interface ProviderFetchOptions {
  /** Maximum time of a call, in milliseconds. */
  timeout: number
  /** Whether the provider may be at an address that is not public. */
  allowPrivate: boolean
  /** The issuer. http is accepted on loopback, and only if the issuer is there too. */
  issuer: string
  ca?: UpstreamClientOptions['ca']
}

/** Maximum size of a response, in bytes. */
const MAX_BYTES = 262_144
/** Statuses with which a `Response` has no body. */
const EMPTY: readonly number[] = [204, 205, 304]

/**
 * Returns the function by which openid-client calls one provider: bounded in time and size, without redirects, https
 * only, to public addresses only. Rejects with `UPSTREAM_ERROR` or `UPSTREAM_TIMEOUT`, also for a status of 500 and
 * above. Each call has its own connection: logins are rare, and an organisation can name any number of hosts.
 */
export function providerFetch ({ timeout, allowPrivate, issuer, ca }: ProviderFetchOptions): CustomFetch {
  const allowLoopback = allowPrivate && isLoopback(new URL(issuer))

  return async function callProvider (address, { method, headers, body, signal }) {
    const url = providerUrl(address, allowLoopback)
    if (url === null) throw new UPSTREAM_ERROR({ reason: 'a URL of the provider is not an https URL' })
    const connectTimeout = Math.min(timeout, 2_000)
    const upstream = tracedUpstream('identity', upstreamClient({
      origin: url.origin,
      timeout,
      connectTimeout,
      retries: 0,
      maxResponse: MAX_BYTES,
      connections: 1,
      ca,
      publicOnly: !allowPrivate
    }))
    try {
      const reply = await upstream.call({
        method: method === 'POST' ? 'POST' : 'GET',
        path: url.pathname + url.search,
        headers,
        body: body === undefined || body === null ? undefined : String(body),
        signal
      })
      const { statusCode } = reply
      if (statusCode >= 500 || statusCode === 429) {
        throw new UPSTREAM_ERROR({ reason: `the provider responded with status ${statusCode}` })
      }
      // Without the other headers, WWW-Authenticate for one, the library reads the error in the body.
      const type = reply.headers['content-type']
      return new Response(EMPTY.includes(statusCode) ? null : new Uint8Array(reply.body), {
        status: statusCode,
        headers: type === undefined ? {} : { 'content-type': type }
      })
    } finally {
      await upstream.close()
    }
  }
}
