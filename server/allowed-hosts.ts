import { isIP } from 'node:net'

import type { FastifyInstance } from 'fastify'

import { FORBIDDEN } from '../lib/errors.js'
import { refuse } from '../lib/refuse.js'

const HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+?)\.?(?::[0-9]{1,5})?$/i

/**
 * Refuses requests of the scope whose `Host` is an unknown name, with 403 `FORBIDDEN`. Otherwise a page of another site
 * could point its host name to this machine and read the scope's responses (DNS rebinding). Loopback names and IP
 * addresses are always allowed. The hook reads `Host` itself, because such a page can also send `X-Forwarded-Host`.
 *
 * @param names further host names, without a port
 */
export function refuseForeignHosts (scope: FastifyInstance, names: readonly string[] = []): void {
  const allowed = new Set(['localhost', ...names.map((name) => name.toLowerCase())])
  scope.addHook('onRequest', function checkHost (request, reply, done) {
    const name = HOST.exec(request.headers.host ?? '')?.[1]?.toLowerCase() ?? ''
    if (allowed.has(name) || name.endsWith('.localhost') || isAddress(name)) return done()
    refuse(reply, new FORBIDDEN({
      message: 'This page is not available under this host name; list the name in ALLOWED_HOSTS'
    }))
  })
}

function isAddress (name: string): boolean {
  return isIP(name.startsWith('[') ? name.slice(1, -1) : name) !== 0
}
