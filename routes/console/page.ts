import { createHash } from 'node:crypto'

import type { FastifyReply, FastifyRequest } from 'fastify'

import { namesTag } from '../../lib/http/entity-tag.js'

export interface PageSettings {
  /** The full path of the console. */
  prefix: string
  /** The path of the admin API on the same origin. */
  api: string
  title: string
  /** The path or URL of the guide; `''`: none. */
  guide: string
  /** The parts of the admin API that the app has, such as `mfa`. */
  features: readonly string[]
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/**
 * Returns the handler of every page of the console. The page differs only in its base, which is relative to its own
 * URL, so that the console also works if a proxy serves it below another path.
 */
export function pageWriter (html: string, { prefix, api, title, guide, features }: PageSettings) {
  const toRoot = '../'.repeat(prefix.split('/').length - 1)
  const filled = html
    .replaceAll('__TITLE__', escaped(title))
    .replaceAll('__FEATURES__', features.join(' '))
    .replaceAll('__GUIDE__', escaped(guide.startsWith('/') ? toRoot + guide.slice(1) : guide))
    .replaceAll('__API__', escaped(toRoot + api.slice(1) + '/'))
  const cut = filled.indexOf('__BASE__')
  const [before, after] = [filled.slice(0, cut), filled.slice(cut + '__BASE__'.length)]

  return function sendPage (request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const content = before + baseOf(request.url, prefix) + after
    const tag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 27)}"`
    reply.header('Cache-Control', 'no-cache').header('ETag', tag)
    if (namesTag(request.headers['if-none-match'], tag)) return reply.code(304).send()
    return reply.type('text/html; charset=utf-8').send(content)
  }
}

/** Returns the folder of the console relative to the URL of a page. */
function baseOf (url: string, prefix: string): string {
  const [path = ''] = url.split(/[?#]/, 1)
  const below = path.slice(prefix.length + 1)
  if (path.length <= prefix.length) return `${prefix.slice(prefix.lastIndexOf('/') + 1)}/`
  return '../'.repeat(below.split('/').length - 1) || './'
}

function escaped (text: string): string {
  return text.replace(/[&<>"]/g, (character) => ESCAPES[character] ?? '')
}
