import { networkInterfaces } from 'node:os'

const LOOPBACK = ['127.0.0.1', 'localhost']
const WILDCARDS = ['0.0.0.0', '::', '']

/** Returns the origins under which browsers reach a server on `host` and `port`. Messages show the first one. */
export function serverOrigins (host: string, port: number): [string, ...string[]] {
  const hosts = isLoopback(host)
    ? ['127.0.0.1', 'localhost', ...host === '::1' ? ['::1'] : []]
    : WILDCARDS.includes(host)
      ? [...LOOPBACK, ...localAddresses()]
      : [host]
  const [first = 'localhost', ...rest] = new Set(host === '::1' ? hosts.reverse() : hosts)
  return [originOf(first, port), ...rest.map((name) => originOf(name, port))]
}

function isLoopback (host: string): boolean {
  return LOOPBACK.includes(host) || host === '::1'
}

function localAddresses (): string[] {
  return Object.values(networkInterfaces()).flatMap((list) => list ?? []).filter(({ scopeid }) => !scopeid).map((
    { address }
  ) => address)
}

/** Returns an origin in the spelling of browsers: IPv6 in brackets, without port 80. */
function originOf (host: string, port: number): string {
  return new URL(`http://${host.includes(':') ? `[${host}]` : host}:${port}`).origin
}
