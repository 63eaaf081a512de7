import { isIP } from 'node:net'

import type { FastifyInstance } from 'fastify'

import { FORBIDDEN } from '../lib/errors.js'
import { refuse } from '../lib/refuse.js'

const HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+?)\.?(?::[0-9]{1,5})?$/i

/**
 * Refuses requests of the scope whose `Host` is a foreign name, 403 `FORBIDDEN`: a page of another site can let its own name point to this
 * machine and would then read what the scope shows (DNS rebinding). Loopback names and addresses are always allowed; an address cannot be
 * pointed elsewhere. It reads the header itself, because such a page can also send `X-Forwarded-Host`.
 *
 * @param names further host names, without a port
 */
export function refuseForeignHosts (scope: FastifyInstance, names: readonly string[] = []): void {
  const allowed = new Set(['localhost', ...names.map((name) => name.toLowerCase())])
  scope.addHook('onRequest', function checkHost (request, reply, done) {
    const name = HOST.exec(request.headers.host ?? '')?.[1]?.toLowerCase() ?? ''
    if (allowed.has(name) || name.endsWith('.localhost') || isAddress(name)) return done()
    refuse(reply, new FORBIDDEN({ message: 'This page is not available under this host name; list the name in ALLOWED_HOSTS' }))
  })
}

function isAddress (name: string): boolean {
  return isIP(name.startsWith('[') ? name.slice(1, -1) : name) !== 0
}
