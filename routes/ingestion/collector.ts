import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { INVALID_OPTIONS } from '../../lib/errors.js'
import { acceptedCodings } from '../../lib/http/accepted-codings.js'
import { fileBesideBundle, packageFile } from '../../lib/package-file.js'
import { collectorSchema } from '../../schemas/collector.js'

const COLLECTOR_PATH = '/d.js'

// Browsers get a fix within an hour; for a day after that they use the stale script while they fetch the new one.
const CACHE_CONTROL = 'public, max-age=3600, stale-while-revalidate=86400'

interface Representation {
  encoding: 'br' | 'gzip' | 'identity'
  body: Buffer
  etag: string
}

/** Registers the route of the collector script. Any page may load the script, also with Subresource Integrity. */
export async function collectorRoute (scope: FastifyInstance): Promise<void> {
  const [brotli, gzip, plain] = representationsOf(await readScript())

  scope.get(
    COLLECTOR_PATH,
    { schema: collectorSchema, exposeHeadRoute: true },
    function sendCollector (request: FastifyRequest, reply: FastifyReply) {
      const { headers } = request
      const accepted = acceptedCodings(headers['accept-encoding'])
      const { encoding, body, etag } = accepted('br') ? brotli : accepted('gzip') ? gzip : plain
      // The script is the same for all clients, so any origin may read it, without credentials.
      reply.header('access-control-allow-origin', '*')
        .header('cross-origin-resource-policy', 'cross-origin')
        .header('x-content-type-options', 'nosniff')
        .header('cache-control', CACHE_CONTROL)
        .header('vary', 'Accept-Encoding')
        .header('etag', etag)
      if (matchesEtag(headers['if-none-match'], etag)) return reply.code(304).send()
      if (encoding !== 'identity') reply.header('content-encoding', encoding)
      return reply.type('text/javascript; charset=utf-8').send(body)
    }
  )
}

async function readScript (): Promise<Buffer> {
  const files = [packageFile('web/collector/d.js'), fileBesideBundle('d.js')].map((url) => fileURLToPath(url))
  const file = files.find((path) => existsSync(path))
  if (file !== undefined) return await readFile(file)
  throw new INVALID_OPTIONS(
    `ingestion: the collector is not at ${files.join(' or ')}; build it with "npm run build", ` +
      'copy it from node_modules/fastify-gatehouse/dist/web/collector/d.js beside your bundle, or set "collector: ' +
        'false"'
  )
}

/**
 * Compresses the script once, at the highest level. Each representation has its own ETag, because the tags are strong.
 */
function representationsOf (script: Buffer): [brotli: Representation, gzip: Representation, plain: Representation] {
  const represent = (encoding: Representation['encoding'], body: Buffer): Representation => {
    return { encoding, body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"` }
  }
  const brotli = brotliCompressSync(script, {
    params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY }
  })
  return [represent('br', brotli), represent('gzip', gzipSync(script, { level: 9 })), represent('identity', script)]
}

/** Returns whether `If-None-Match` contains the tag, by weak comparison (RFC 9110). */
function matchesEtag (header: string | undefined, etag: string): boolean {
  return header !== undefined &&
    header.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag)
}
