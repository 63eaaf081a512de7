import t from 'tap'

import { signedEmbedQuery, signEmbedQuery } from '../../../signing/boldbi/signature.js'
import { startBoldBi } from '../../../server/mock-products/boldbi.js'
import type { BoldBi, BoldBiOptions } from '../../../server/mock-products/boldbi.js'

async function mock (test: Pick<typeof t, 'teardown'>, options: Partial<BoldBiOptions> = {}): Promise<BoldBi> {
  const started = await startBoldBi({ embedders: [], ...options })
  test.teardown(() => started.close())
  return started
}

function queryAt (seconds: number, user = 'ann@example.com'): string {
  return `embed_nonce=x&embed_dashboard_id=d1&embed_mode=view&embed_expirationtime=600&embed_user_email=${user}&embed_server_timestamp=${seconds}`
}

const nowInSeconds = () => Math.floor(Date.now() / 1000)

t.test('a query signed with the embed secret is authorised and opens the dashboard once', async (t) => {
  const bold = await mock(t)
  const answer = await fetch(
    `${bold.apiUrl}/embed/authorize?${signedEmbedQuery(queryAt(nowInSeconds()), bold.embedSecret)}`
  )
  t.equal(answer.status, 200)
  const body = await answer.json() as { Data: { DashboardUrl: string } }
  t.match(body, { ApiStatus: true, Status: true, Data: { token_type: 'bearer', expires_in: 600, DashboardId: 'd1' } })
  const open = () => fetch(bold.origin + body.Data.DashboardUrl)
  const first = await open()
  t.equal(first.status, 200)
  t.match(await first.text(), 'ann@example.com')
  t.equal((await open()).status, 401, 'the second time')
})

t.test('the same query is accepted as the JSON string of a POST', async (t) => {
  const bold = await mock(t)
  const answer = await fetch(`${bold.apiUrl}/embed/authorize`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(signedEmbedQuery(queryAt(nowInSeconds()), bold.embedSecret))
  })
  t.equal(answer.status, 200)
  t.match(await answer.json(), { ApiStatus: true })
})

t.test('an object that contains the secret is accepted, as by servers from version 14.1', async (t) => {
  const bold = await mock(t)
  const ask = async (body: object) => {
    const answer = await fetch(`${bold.apiUrl}/embed/authorize`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body)
    })
    return { status: answer.status, ...await answer.json() as object }
  }
  const good = { embedsecret: bold.embedSecret, email: 'ann@example.com', dashboard: { id: 'd1' } }
  t.match(await ask(good), { status: 200, ApiStatus: true, Data: { DashboardId: 'd1' } })
  for (const bad of [{ ...good, embedsecret: 'foreign' }, { ...good, email: '' }, {}]) {
    t.match(await ask(bad), { status: 401, ApiStatus: false })
  }
})

t.test('an unsigned, altered, stale or otherwise signed query is refused', async (t) => {
  const bold = await mock(t)
  const good = queryAt(nowInSeconds())
  const signature = signEmbedQuery(good, bold.embedSecret)
  const cases: Record<string, string> = {
    'no query': '',
    'no signature': good,
    'an empty signature': `${good}&embed_signature=`,
    'another user under the signature': `${good.replace('ann', 'bob')}&embed_signature=${signature}`,
    'more after the signature': `${good}&embed_signature=${signature}&embed_user_email=bob`,
    'a percent-encoded signature': `${good}&embed_signature=${encodeURIComponent(signature)}`,
    'a percent-encoded padding': `${good}&embed_signature=${signature.replace('=', '%3D')}`,
    'broken percent-encoding': `${good}&embed_signature=%zz`,
    'another secret': signedEmbedQuery(good, 'foreign'),
    'six minutes ago': signedEmbedQuery(queryAt(nowInSeconds() - 360), bold.embedSecret),
    'in six minutes': signedEmbedQuery(queryAt(nowInSeconds() + 360), bold.embedSecret),
    'no user': signedEmbedQuery(queryAt(nowInSeconds(), ''), bold.embedSecret)
  }
  for (const [name, query] of Object.entries(cases)) {
    const answer = await fetch(`${bold.apiUrl}/embed/authorize?${query}`)
    t.equal(answer.status, 401, name)
    t.match(await answer.json(), { ApiStatus: false, Status: false, Message: String }, name)
  }
})

t.test('an embed token is refused after its lifetime', async (t) => {
  let now = Date.now()
  const bold = await mock(t, { now: () => now })
  const answer = await fetch(
    `${bold.apiUrl}/embed/authorize?${signedEmbedQuery(queryAt(Math.floor(now / 1000)), bold.embedSecret)}`
  )
  const { Data: { DashboardUrl } } = await answer.json() as { Data: { DashboardUrl: string } }
  now += 600_000
  t.equal((await fetch(bold.origin + DashboardUrl)).status, 401)
})
