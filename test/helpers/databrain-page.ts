import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { fileURLToPath } from 'node:url'

import type { Test } from 'tap'

export interface HostMap {
  /** Of the HTTP proxy that a browser is to use. */
  server: string
  /** The hosts that the browser asked for and that have no server here. */
  strangers: Set<string>
}

/**
 * Leads a browser's TLS connections for some hosts to ports of this machine, and no other connection anywhere: a
 * tunnelling HTTP proxy.
 */
export async function mapHosts (t: Test, ports: Readonly<Record<string, number>>): Promise<HostMap> {
  const strangers = new Set<string>()
  const open = new Set<Socket>()
  const proxy = createServer((request, response) => {
    strangers.add(request.headers.host ?? '')
    response.writeHead(502).end()
  })
  proxy.on('connect', (request, socket: Socket, head: Buffer) => {
    socket.on('error', () => {})
    const host = (request.url ?? '').replace(/:443$/, '')
    const port = ports[host]
    if (port === undefined) {
      strangers.add(host)
      return socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n')
    }
    const onward = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      onward.write(head)
      onward.pipe(socket).pipe(onward)
    })
    for (const side of [socket, onward]) {
      open.add(side)
      side.on('error', () => {}).on('close', () => open.delete(side))
    }
  })
  await new Promise<void>((resolve) => {
    proxy.listen(0, '127.0.0.1', resolve)
  })
  t.teardown(() =>
    new Promise((resolve) => {
      for (const socket of open) socket.destroy()
      proxy.close(resolve)
      proxy.closeAllConnections()
    })
  )
  return { server: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, strangers }
}

export interface Component {
  /** The file of the package, as it was published. */
  script: string
  /** The origin that is built into it as DataBrain's backend. */
  backend: string
}

/** The web components of `@databrainhq/plugin`, unmodified. */
export async function databrainComponent (): Promise<Component> {
  const script = await readFile(
    fileURLToPath(new URL('../../node_modules/@databrainhq/plugin/dist/webcomponents.es.js', import.meta.url)),
    'utf8'
  )
  const backend = /"(https:\/\/[a-z0-9]+\.lambda-url\.[a-z0-9-]+\.on\.aws)"/.exec(script)?.[1]
  if (backend === undefined) throw new Error('@databrainhq/plugin has no built-in backend any more')
  return { script, backend }
}
