import { createRequire } from 'node:module'

import t from 'tap'

import { listeningGateway } from '../helpers/listening-gateway.js'
import type { SdkMethods } from '../helpers/sdk-calls.js'

type Sdk = Record<keyof SdkMethods, (message: object, done?: (error?: Error) => void) => void> & {
  flush(): Promise<unknown>
}
type Options = { host: string, errorHandler: (error: Error) => void }

// The package is CommonJS and has no types.
const Analytics = createRequire(import.meta.url)('analytics-node') as new(writeKey: string, options: Options) => Sdk

t.test("with only `host` set, each call of Segment's earlier Node SDK is stored, also nulls and numbers", async (t) => {
  const server = await listeningGateway(t)
  const errors: Error[] = []
  const analytics = new Analytics(server.key, { host: server.origin, errorHandler: (error) => errors.push(error) })
  const timestamp = new Date(Date.now() - 60_000)
  analytics.track({ userId: 42, event: 'Order Done', properties: { total: 9.5 }, timestamp })
  analytics.track({ userId: 'ann', event: 'No properties', properties: null, context: null, integrations: null })
  analytics.page({ anonymousId: 'visitor', name: null, properties: null })
  analytics.identify({ userId: 'ann', traits: null })
  analytics.group({ userId: 'ann', groupId: 99, traits: [] })
  analytics.alias({ userId: 'ann', previousId: 7 })
  await analytics.flush()

  t.same(errors, [])
  const stored = await server.stored()
  t.match(stored, [
    {
      type: 'track',
      messageId: /^node-/,
      userId: '42',
      event: 'Order Done',
      properties: { total: 9.5 },
      originalTimestamp: timestamp.toISOString(),
      authMethod: 'key'
    },
    { type: 'track', event: 'No properties' },
    { type: 'page', anonymousId: 'visitor' },
    { type: 'identify', userId: 'ann' },
    { type: 'group', groupId: '99', traits: {} },
    { type: 'alias', userId: 'ann', previousId: '7' }
  ])
  t.ok(
    Math.abs(Date.parse(String(stored[0]?.['timestamp'])) - timestamp.getTime()) < 10_000,
    String(stored[0]?.['timestamp'])
  )
  t.equal(stored.length, 6)
  t.ok(server.answers.every((answer) => answer === 'POST /v1/batch 200'), server.answers.join())
})
