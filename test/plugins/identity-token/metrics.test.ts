import { subscribe, unsubscribe } from 'node:diagnostics_channel'

import t from 'tap'

import { CHANNELS } from '../../../lib/channels.js'
import type { AllowedMessage, RefusedMessage, UpstreamMessage } from '../../../lib/channels.js'
import { identityApp, present } from '../../helpers/identity-app.js'
import { identityProvider } from '../../helpers/identity-provider.js'
import { hang } from '../../helpers/stub-upstream.js'

t.test('decisions and calls to the provider are published, with their outcomes', async (t) => {
  const seen: string[] = []
  const listeners = {
    allowed: (message: unknown) => seen.push(`allowed by ${(message as AllowedMessage).guard}`),
    refused (message: unknown) {
      const { guard, error } = message as RefusedMessage
      seen.push(`refused by ${guard} with ${error.code}`)
    },
    upstream (message: unknown) {
      const { product, outcome } = message as UpstreamMessage
      seen.push(`${product} ${outcome}`)
    }
  }
  for (const [name, listener] of Object.entries(listeners)) {
    const { name: channel } = CHANNELS[name as keyof typeof listeners]
    subscribe(channel, listener)
    t.teardown(() => unsubscribe(channel, listener))
  }
  const provider = await identityProvider(t)
  const options = { provider: { jwksUrl: provider.jwksUrl }, options: { timeout: 200 } }
  const app = await identityApp(t, provider, options)
  await present(app, await provider.token())
  await present(app, 'x.y.z')
  await app.inject('/optional')
  t.same(seen.splice(0), [
    'identity ok',
    'allowed by identityToken',
    'refused by identityToken with UNAUTHORIZED'
  ])
  provider.keysAnswer = hang
  await present(await identityApp(t, provider, options), await provider.token())
  t.same(seen, ['identity timeout', 'refused by identityToken with UNAVAILABLE'])
})
