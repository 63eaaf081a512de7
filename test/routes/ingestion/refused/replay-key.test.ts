import t from 'tap'
import type { Test } from 'tap'

import { generatePipelineKey } from '../../../../signing/datafly/pipeline-key.js'
import type { NewSource, NewSourceKey } from '../../../../contracts/token-store/index.js'
import { gateway } from '../../../helpers/gateway.js'
import { keptEvents } from '../../../helpers/refused-events.js'

const ORG = 'acme'
const BLOG = 'https://blog.example.com'
const SHOP = 'https://shop.example.com'

/** A gateway that keeps refused events, with a named key. */
async function setUp (t: Test, source: Partial<NewSource> = {}, named: Partial<NewSourceKey> = {}) {
  const made = await gateway(t, { source: { keepRefused: true, domains: [SHOP], ...source } })
  const { store, source: { id: sourceId } } = made
  const pipelineKey = generatePipelineKey('live')
  const key = await store.sourceKeys.create(ORG, sourceId, {
    pipelineKey, name: 'Blog', domains: ['https://other.example.com'], enabled: true, expiresAt: null, ...named
  })
  if (key === null) throw new Error('the source exists')
  return {
    ...made,
    key,
    /** Sends an event with the named key from a page, and returns the id of the refused event. */
    async refuse (origin: string, body: unknown = { event: 'A' }): Promise<string> {
      const path = typeof body === 'object' && body !== null && 'batch' in body ? '/v1/batch' : '/v1/t'
      const reply = await made.post(path, body, { origin, authorization: `Bearer ${pipelineKey}` })
      t.equal(reply.statusCode, 403)
      return (await keptEvents(made, 1))[0]?.id ?? ''
    },
    change: (patch: Partial<Omit<NewSourceKey, 'quota'>>) => store.sourceKeys.update(ORG, sourceId, key.id, patch),
    update: (patch: Partial<NewSource>) => store.sources.update(ORG, sourceId, patch as object),
    replay: async (id: string) => (await made.app.eventReplay.replay(ORG, [id]))[0]
  }
}

t.test('a replay checks the domains of the named key of the request, not those of the source', async (t) => {
  const { refuse, update, change, replay, accepted } = await setUp(t)
  const id = await refuse(BLOG)
  await update({ domains: [BLOG], allowAnyOrigin: true })
  t.match(await replay(id), { outcome: 'still_refused', code: 'ORIGIN_NOT_ALLOWED' })
  t.same(await accepted(), [])
  await update({ domains: [], allowAnyOrigin: false })
  await change({ domains: [BLOG] })
  t.match(await replay(id), { outcome: 'replayed', events: { stored: 1 } })
  t.equal((await accepted()).length, 1)
})

t.test('a named key without own domains has those of the source', async (t) => {
  const { refuse, update, replay } = await setUp(t, {}, { domains: null })
  const id = await refuse(BLOG)
  t.match(await replay(id), { outcome: 'still_refused', code: 'ORIGIN_NOT_ALLOWED' })
  await update({ domains: [BLOG] })
  t.match(await replay(id), { outcome: 'replayed' })
})

t.test('the domains of a named key do not apply to the key without a name', async (t) => {
  const { post, change, replay, ...made } = await setUp(t)
  t.equal((await post('/v1/t', { event: 'A' }, { origin: BLOG })).statusCode, 403)
  const [{ id = '' } = {}] = await keptEvents(made, 1)
  await change({ domains: [BLOG] })
  t.match(await replay(id), { outcome: 'still_refused', code: 'ORIGIN_NOT_ALLOWED' })
})

t.test('a key that was renamed and rotated since then is found, also by its previous value', async (t) => {
  const { refuse, change, replay, store, source, key } = await setUp(t)
  const rotation = { pipelineKey: generatePipelineKey('live'), overlapUntil: Date.now() + 600_000 }
  await store.sourceKeys.rotate(ORG, source.id, key.id, rotation)
  const id = await refuse(BLOG)
  await store.sourceKeys.rotate(ORG, source.id, key.id, { ...rotation, pipelineKey: generatePipelineKey('live') })
  await change({ name: 'News', domains: [BLOG] })
  t.match(await replay(id), { outcome: 'replayed', events: { stored: 1 } })
})

t.test('a request with a key that is disabled, expired or deleted stays refused', async (t) => {
  const { refuse, change, replay, store, source, key, accepted } = await setUp(t)
  const id = await refuse(BLOG)
  await change({ domains: [BLOG], enabled: false })
  const refused = { outcome: 'still_refused', code: 'INVALID_PIPELINE_KEY' }
  t.match(await replay(id), refused, 'disabled')
  await change({ enabled: true, expiresAt: Date.now() - 1_000 })
  t.match(await replay(id), refused, 'expired')
  await store.sourceKeys.delete(ORG, source.id, key.id)
  t.match(await replay(id), refused, 'deleted')
  t.same(await accepted(), [])
})

for (const quota of ['dailyQuota', 'monthlyQuota'] as const) {
  t.test(`a replay above the ${quota} stores nothing, and stores all once the quota is raised`, async (t) => {
    const { refuse, change, update, replay, post, accepted } = await setUp(t, { [quota]: 2 })
    const id = await refuse(BLOG, { batch: [{ type: 'track', event: 'A' }, { type: 'track', event: 'B' }] })
    await change({ domains: [BLOG] })
    t.equal((await post('/v1/t', { event: 'C' })).statusCode, 200)
    t.match(await replay(id), {
      outcome: 'still_refused', code: 'RATE_LIMITED', reason: /quota of the source is 2 events/, events: { stored: 0, refused: 2 }
    })
    t.equal((await accepted()).length, 1)
    await update({ [quota]: 3 })
    t.match(await replay(id), { outcome: 'replayed', events: { stored: 2 } })
    t.equal((await accepted()).length, 3)
    t.match(await replay(id), { outcome: 'already_replayed' })
  })
}
