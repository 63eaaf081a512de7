import type { FastifyRequest } from 'fastify'

/** No spaces and no commas: Node joins the values of a header that comes twice by `, `. */
const TOKEN = /^[\x21-\x2b\x2d-\x7e]+$/

/** The captcha token of a request, from its header or from one member of its body; `null`: none, one that can't be it, or two that differ. */
export function presentedToken (request: FastifyRequest, field: string | undefined): string | null {
  const inHeader = request.headers['x-captcha-token']
  const inBody = field === undefined ? undefined : memberOf(request.body, field)
  const token = inHeader ?? inBody
  if (typeof token !== 'string' || !TOKEN.test(token)) return null
  return inBody === undefined || inBody === token ? token : null
}

function memberOf (body: unknown, field: string): unknown {
  return typeof body === 'object' && body !== null && Object.hasOwn(body, field) ? (body as Record<string, unknown>)[field] : undefined
}
