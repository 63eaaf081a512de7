import { connect } from 'node:net'

export interface RawReply {
  statusCode: number
  /** The head as it came, status line included. */
  head: string
  body: string
  /** Everything that came, further replies included. */
  text: string
}

/**
 * Sends bytes that no HTTP client would, and reads until the other side closes. Lines are joined with CRLF and
 * followed by an
 * empty one; give `Connection: close` among them. Rejects when nothing more comes for `timeout` milliseconds.
 */
export async function rawRequest (
  origin: string,
  lines: readonly string[],
  body = '',
  timeout = 10_000
): Promise<RawReply> {
  return parse(await rawExchange(origin, [...lines, '', body].join('\r\n'), timeout))
}

/** Sends a text (latin1) as it is and gives back all that comes until the other side closes. */
export async function rawExchange (origin: string, text: string, timeout = 10_000): Promise<string> {
  const { hostname, port } = new URL(origin)
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect({ host: hostname, port: Number(port) })
    socket.setTimeout(timeout, () => socket.destroy(new Error('no answer in time')))
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // A refusal may close while we still send; what was answered counts.
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') return
      reject(error)
    })
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')))
    socket.write(text, 'latin1')
  })
}

function parse (text: string): RawReply {
  const [head = '', ...rest] = text.split('\r\n\r\n')
  return { statusCode: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0), head, body: rest.join('\r\n\r\n'), text }
}
