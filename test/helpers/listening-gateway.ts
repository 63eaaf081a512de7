import type { Test } from 'tap'

import { failingSink } from './failing-sink.js'
import type { FailingSink } from './failing-sink.js'
import { gateway } from './gateway.js'
import type { Gateway, GatewayOptions } from './gateway.js'

export interface ListeningGateway extends Gateway {
  /** Such as `http://127.0.0.1:40123`. */
  origin: string
  sink: FailingSink
  /** Method, path and status of each request, as it was answered. */
  answers: string[]
}

/** The ingestion routes on a port of their own, over a sink that can be made to fail. */
export async function listeningGateway (
  t: Test,
  options: Omit<GatewayOptions, 'sink'> = {}
): Promise<ListeningGateway> {
  const sink = failingSink()
  // A browser opens sockets that it may never send a request on; the end of the app would wait for them for minutes.
  const made = await gateway(t, { ...options, server: { forceCloseConnections: true, ...options.server }, sink })
  const answers: string[] = []
  made.app.server.on('request', (request, response) => {
    response.on('finish', () => answers.push(`${request.method} ${request.url} ${response.statusCode}`))
  })
  const origin = await made.app.listen({ host: '127.0.0.1', port: 0 })
  return { ...made, sink, origin, answers }
}
