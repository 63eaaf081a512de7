import { connect, createServer } from 'node:net'

const RESPONSE_TIMEOUT = 2_000

/** The state that a lock's process reports. */
export type LockState = 'starting' | 'owner'

/** Sends the state to every connection. Does not keep the process alive. Resolves with a function that stops it. */
export async function listenAt (path: string, state: () => LockState): Promise<() => Promise<void>> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.end(state())
    socket.destroySoon()
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
  // A failed accept must not crash the process; the lock stays valid.
  server.on('error', () => {})
  server.unref()
  return () => new Promise((resolve) => { server.close(() => resolve()) })
}

/**
 * Queries the process behind a lock. `dead`: the system refuses the connection or the socket is gone. `leaving`: the
 * process is releasing the lock. A process that accepts but does not respond (stopped, busy) counts as `owner`.
 */
export function queryPeer (path: string): Promise<LockState | 'leaving' | 'dead'> {
  return new Promise((resolve) => {
    let received = ''
    const socket = connect(path)
    const timer = setTimeout(() => finish('owner'), RESPONSE_TIMEOUT)

    function finish (state: LockState | 'leaving' | 'dead') {
      clearTimeout(timer)
      socket.destroy()
      resolve(state)
    }

    socket.setEncoding('utf8')
    socket.on('data', (chunk: string) => { received += chunk })
    socket.once('end', () => finish(received === 'owner' || received === 'starting' ? received : 'leaving'))
    socket.once('error', ({ code }: NodeJS.ErrnoException) => {
      if (code === 'ECONNREFUSED' || code === 'ENOENT') finish('dead')
      else finish(code === 'ECONNRESET' || code === 'EPIPE' ? 'leaving' : 'owner')
    })
  })
}
