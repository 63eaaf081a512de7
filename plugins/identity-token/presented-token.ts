import type { FastifyRequest } from 'fastify'

import { foreignReason, isWrite } from '../../lib/http/site-check.js'
import type { SiteRules } from '../../lib/http/site-check.js'
import { singleHeader } from '../../lib/http/single-header.js'
import type { CheckedOptions } from './options.js'

/** A token of a request; `refused`: the reason, for the log, why none is accepted; `null`: the request has none. */
export type PresentedToken = { token: string } | { refused: string } | null

/**
 * Returns a function that reads the token of a request: from a header, else from the cookie. It does not read the query
 * and the body. A header wins, because a page sets it for this request, and a browser adds the cookie to every request.
 */
export function tokenReader (
  { bearer, header, cookie }: Pick<CheckedOptions, 'bearer' | 'header' | 'cookie'>
): (request: FastifyRequest) => PresentedToken {
  const rules: SiteRules = {
    origins: new Set(cookie?.origins),
    allowSameSite: cookie?.allowSameSite ?? false
  }

  return function readPresented (request) {
    const { rawHeaders } = request.raw
    const inBearer = bearer ? bearerToken(singleHeader(rawHeaders, 'authorization')) : undefined
    const inHeader = header === null ? undefined : singleHeader(rawHeaders, header)
    if (inBearer === null || inHeader === null) return { refused: 'a header with a token is repeated' }
    if (inBearer !== undefined && inHeader !== undefined && inBearer !== inHeader) {
      return { refused: 'two headers contain different tokens' }
    }
    const token = inBearer ?? inHeader
    if (token !== undefined) return { token }
    return cookie === null ? null : fromCookie(request, cookie.name)
  }

  function fromCookie (request: FastifyRequest, name: string): PresentedToken {
    const [token, ...others] = cookieValues(request.headers.cookie ?? '', name)
    if (token === undefined) return null
    if (others.some((other) => other !== token)) return { refused: 'the cookie with the token is repeated' }
    const foreign = isWrite(request) ? foreignReason(request, rules) : null
    return foreign === null ? { token } : { refused: `the token is in a cookie, and ${foreign}` }
  }
}

/** Returns the token of a Bearer header; `undefined` for another scheme. */
function bearerToken (value: string | null | undefined): string | null | undefined {
  if (typeof value !== 'string') return value
  return /^bearer /i.test(value) ? value.slice('bearer '.length) : undefined
}

function cookieValues (header: string, name: string): string[] {
  const prefix = `${name}=`
  return header.split(';').map((pair) => pair.trim()).filter((pair) => pair.startsWith(prefix)).map((pair) =>
    pair.slice(prefix.length)
  )
}
