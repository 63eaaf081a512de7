import t from 'tap'

import { listeningGateway } from './listening-gateway.js'
import type { ListeningGateway } from './listening-gateway.js'
import type { NodeSdk } from './node-sdks.js'
import { assertStoredOnce, sdkCalls } from './sdk-calls.js'

/** Tests that an SDK repeats what a limit refuses until it is stored. `name` is for the titles. */
export function testSdkLimits (name: string, connect: (server: ListeningGateway) => NodeSdk): void {
  for (
    const [limit, options] of [
      ['requests of its address', { ingestion: { rateLimit: { max: 8, timeWindow: 1_000 } } }],
      ['events of its source', { source: { rateLimit: 150 } }]
    ] as const
  ) {
    t.test(`${name} retries after a limit of the ${limit} and loses no event`, async (t) => {
      const server = await listeningGateway(t, options)
      const sdk = connect(server)
      const calls = sdkCalls(510)
      sdk.send(calls)
      await sdk.drained()
      t.same(sdk.errors, [])
      t.ok(countBatches(server, 429) > 0, `${countBatches(server, 429)} responses of 429`)
      assertStoredOnce(t, calls, await server.stored())
    })
  }
}

/** Returns the number of batches that got a status. */
export function countBatches ({ answers }: ListeningGateway, status: number): number {
  return answers.filter((answer) => answer === `POST /v1/batch ${status}`).length
}
