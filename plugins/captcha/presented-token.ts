import type { FastifyRequest } from 'fastify'

/** Excludes spaces and commas, because Node joins the values of a repeated header with `, `. */
const TOKEN = /^[\x21-\x2b\x2d-\x7e]+$/

/**
 * Returns the captcha token of a request, from its header or from a property of its body; `null` without a token, and
 * for a malformed token or two different tokens.
 */
export function presentedToken (request: FastifyRequest, field: string | undefined): string | null {
  const inHeader = request.headers['x-captcha-token']
  const inBody = field === undefined ? undefined : memberOf(request.body, field)
  const token = inHeader ?? inBody
  if (typeof token !== 'string' || !TOKEN.test(token)) return null
  return inBody === undefined || inBody === token ? token : null
}

function memberOf (body: unknown, field: string): unknown {
  return typeof body === 'object' && body !== null && Object.hasOwn(body, field)
    ? (body as Record<string, unknown>)[field]
    : undefined
}
