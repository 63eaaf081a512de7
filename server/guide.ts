import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { brotliCompressSync, constants } from 'node:zlib'

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { NOT_FOUND } from '../lib/errors.js'
import { acceptedCodings } from '../lib/http/accepted-codings.js'
import { serveBuiltAssets } from '../lib/http/built-assets.js'
import { namesTag } from '../lib/http/entity-tag.js'
import { routeScope } from '../lib/http/route-scope.js'
import { packageFile } from '../lib/package-file.js'
import { PAGE_HEADERS } from '../routes/console/page-headers.js'

/** The other pages of the server, to which the pages link. */
export interface Places {
  /** Whether the server has a start page. */
  start: boolean
  /** Whether the server has the console. */
  console: boolean
}

interface Page { html: Buffer, compressed: Buffer, tag: string }

const BUILT = packageFile('web/guide/built/')
const QUALITY = 5

/**
 * Serves the pages of `docs/`, with a search, at `/guide/`. `npm run build` writes them; without them the log has a
 * warning and the server has no guide.
 */
export async function serveGuide (app: FastifyInstance, options: Places): Promise<void> {
  if (!existsSync(BUILT)) {
    app.log.warn('The guide is not built, so /guide is missing: run `npm run build`')
    return
  }
  const files = new Set(readdirSync(new URL('pages/', BUILT)))
  const known = new Map<string, Page>()

  await routeScope(app, { prefix: '/guide', rateLimit: { max: 600, timeWindow: 60_000 } }, async (scope) => {
    scope.addHook('onSend', function setPageHeaders (_request, reply, payload, done) {
      reply.headers(PAGE_HEADERS)
      done(null, payload)
    })
    await serveBuiltAssets(scope, new URL('assets/', BUILT), 'The guide')

    function sendPage (name: string, request: FastifyRequest, reply: FastifyReply): FastifyReply {
      const file = `${name}.html`
      if (!files.has(file)) throw new NOT_FOUND()
      const page = known.get(file) ?? readPage(file, options)
      known.set(file, page)
      const { html, compressed, tag } = page
      reply.header('Cache-Control', 'no-cache').header('ETag', tag).header('Vary', 'Accept-Encoding')
      if (namesTag(request.headers['if-none-match'], tag)) return reply.code(304).send()
      reply.type('text/html; charset=utf-8')
      if (!acceptedCodings(request.headers['accept-encoding'])('br')) return reply.send(html)
      return reply.header('Content-Encoding', 'br').send(compressed)
    }

    // The links of the pages are relative to /guide/.
    scope.get('/', { prefixTrailingSlash: 'no-slash' }, (_request, reply) => reply.redirect('guide/'))
    scope.get('/', { prefixTrailingSlash: 'slash' }, (request, reply) => sendPage('index', request, reply))
    scope.get<{ Params: { page: string } }>('/:page', (request, reply) => sendPage(request.params.page, request, reply))
  })
}

/** Reads a page, and leaves out the links to pages that the server does not have. */
function readPage (file: string, { start, console }: Places): Page {
  const text = readFileSync(new URL(`pages/${file}`, BUILT), 'utf8')
    .replaceAll(/__START__(.*?)__START__/g, start ? '$1' : '')
    .replaceAll(/__CONSOLE__(.*?)__CONSOLE__/g, console ? '$1' : '')
  const html = Buffer.from(text)
  const tag = `"${createHash('sha256').update(html).digest('base64url').slice(0, 27)}"`
  const compressed = brotliCompressSync(html, { params: { [constants.BROTLI_PARAM_QUALITY]: QUALITY } })
  return { html, compressed, tag }
}
