import { connect, createServer } from 'node:net'

const ANSWER_LIMIT = 2_000

/** What the process behind a lock says of itself. */
export type LockState = 'starting' | 'owner'

/** Answers every connection with the state and closes it; does not keep the process alive. Resolves with a function that stops it. */
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
  // A failure to accept one connection must not take the process down; the lock itself stays.
  server.on('error', () => {})
  server.unref()
  return () => new Promise((resolve) => { server.close(() => resolve()) })
}

/**
 * Asks who is behind a lock: `dead` only when the system refuses the connection or the socket is gone; a process that takes
 * the connection but says nothing in time (stopped, or busy) is an owner; one that just let go is `leaving`.
 */
export function askPeer (path: string): Promise<LockState | 'leaving' | 'dead'> {
  return new Promise((resolve) => {
    let said = ''
    const socket = connect(path)
    const limit = setTimeout(() => finish('owner'), ANSWER_LIMIT)

    function finish (answer: LockState | 'leaving' | 'dead') {
      clearTimeout(limit)
      socket.destroy()
      resolve(answer)
    }

    socket.setEncoding('utf8')
    socket.on('data', (text: string) => { said += text })
    socket.once('end', () => finish(said === 'owner' || said === 'starting' ? said : 'leaving'))
    socket.once('error', ({ code }: NodeJS.ErrnoException) => {
      if (code === 'ECONNREFUSED' || code === 'ENOENT') finish('dead')
      else finish(code === 'ECONNRESET' || code === 'EPIPE' ? 'leaving' : 'owner')
    })
  })
}
