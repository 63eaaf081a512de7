import { setTimeout as sleep } from 'node:timers/promises'

import t from 'tap'

import userReference from '../../../plugins/user-reference/index.js'
import type { RevocationKind } from '../../../contracts/token-store/index.js'
import { generateSecret } from '../../../signing/secret-strength/index.js'
import { verifyWidgetToken } from '../../../signing/dxfeed/widget-token.js'
import { auditEntries } from '../../helpers/audit-entries.js'
import { PATH, SECRET, widgetTokenApp } from '../../helpers/widget-token.js'

const NOW = 1_700_000_000_123

function signedBy (token: string, secret: string): boolean {
  return verifyWidgetToken(token, { secret }).valid
}

t.test('the response contains the issue, refresh and end time of the token, in either unit', async (t) => {
  for (const timeUnit of ['ms', 's'] as const) {
    for (const minutes of [5, 13, 15, 20]) {
      const { ask } = await widgetTokenApp(t, { minutes, timeUnit, now: () => NOW })
      const { token, issuedAt, refreshAfter, expiresAt } = (await ask()).json()
      const verdict = verifyWidgetToken(token, { secret: SECRET, timeUnit, now: NOW })
      const unit = timeUnit === 'ms' ? 1 : 1_000
      t.match(verdict, {
        valid: true,
        payload: { issuedAt: Date.parse(issuedAt) / unit, expiration: Date.parse(expiresAt) / unit }
      })
      for (const time of [issuedAt, refreshAfter, expiresAt]) t.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      const left = Date.parse(expiresAt) - Date.parse(refreshAfter)
      t.equal(left, minutes * 12_000, 'a fifth of the validity')
      t.ok(left >= 60_000)
    }
  }
})

t.test('a secret function signs the token, and a new secret is used as soon as the function returns it', async (t) => {
  let secret = 'the first'
  const { ask } = await widgetTokenApp(t, { secret: async () => secret, secretMaxAge: 0 })
  t.ok(signedBy((await ask()).json().token, 'the first'))
  secret = 'the second'
  t.ok(signedBy((await ask()).json().token, 'the second'))
})

t.test('a function that fails or returns an invalid secret leaves the last valid secret in use', async (t) => {
  const answers: Array<() => string> = [() => 'good', () => {
    throw new Error('hunter2')
  }, () => '', () => 'hunter2\ud800', () => 'better']
  const lines: string[] = []
  const { ask } = await widgetTokenApp(t, { secret: () => (answers.shift() ?? (() => 'better'))(), secretMaxAge: 0 }, {
    logger: {
      stream: {
        write: (line) => {
          lines.push(line)
        }
      }
    }
  })
  const signers = new Set<string | undefined>()
  // Far more requests than necessary, each a little later.
  for (let times = 0; times < 500 && !signers.has('better'); times++) {
    const { token } = (await ask()).json()
    signers.add(['good', 'better'].find((secret) => signedBy(token, secret)))
    await sleep(20)
  }
  t.same([...signers], ['good', 'better'])
  const warnings = lines.filter((line) => line.includes('no valid secret'))
  t.equal(warnings.length, 1)
  t.notMatch(lines.join(''), /hunter2/)
})

t.test('a function that returns the secret is not called for every token', async (t) => {
  let asked = 0
  // Longer than this test runs on any machine.
  const { ask } = await widgetTokenApp(t, {
    secret: () => {
      asked++
      return SECRET
    },
    secretMaxAge: 600_000
  })
  for (let times = 0; times < 5; times++) t.equal((await ask()).statusCode, 200)
  t.equal(asked, 1)
})

for (const [kind, subject] of [['user', 'ann'], ['tenant', 'north']] as const) {
  t.test(`a ${kind} that is revoked gets no token for an earlier session`, async (t) => {
    let issuedAt: number | undefined = Date.now() - 1_000
    const { app, ask } = await widgetTokenApp(t, { authorize: () => ({ user: 'ann', tenant: 'north', issuedAt }) })
    t.equal((await ask()).statusCode, 200)
    await revoke(app, kind, subject, Date.now())
    const refused = await ask()
    t.equal(refused.statusCode, 403)
    t.equal(refused.json().error.code, 'FORBIDDEN')
    const [minted, refusal] = await auditEntries(app, 2)
    t.match(minted, { action: 'widget_token.minted', userId: 'ann', changes: { tenant: 'north' } })
    t.match(refusal, { action: 'widget_token.refused', userId: 'ann', changes: { outcome: 'FORBIDDEN' } })
    issuedAt = Date.now()
    t.equal((await ask()).statusCode, 200, 'a later session')
    issuedAt = undefined
    t.equal((await ask()).statusCode, 200, 'a session without issuedAt counts as new')
    await revoke(app, kind, subject, Date.now() + 600_000)
    t.equal((await ask()).statusCode, 403, 'a later revocation time refuses a new session too')
  })
}

t.test('a revocation applies to the subject of the user reference and to the name from authorize', async (t) => {
  const names: Record<string, string> = { ann: '17', bob: '18' }
  const { app, ask } = await widgetTokenApp(
    t,
    { authorize: ({ userReference }) => names[userReference?.sub ?? ''] },
    {},
    (app) => app.register(userReference, { keys: [generateSecret()] })
  )
  const statusOf = async (sub: string) =>
    (await ask({ url: `${PATH}?ref=${app.userReference.sign({ sub })}` })).statusCode
  t.same([await statusOf('ann'), await statusOf('bob')], [200, 200])
  await revoke(app, 'user', 'ann', Date.now() + 600_000)
  t.same([await statusOf('ann'), await statusOf('bob')], [403, 200])
  await revoke(app, 'user', '18', Date.now() + 600_000)
  t.equal(await statusOf('bob'), 403)
  t.equal((await ask({ url: `${PATH}?ref=forged` })).statusCode, 401)
})

t.test('the token contains neither the tenant nor the age of the session', async (t) => {
  const { ask } = await widgetTokenApp(t, {
    now: () => NOW,
    authorize: () => ({ user: 'ann', tenant: 'north', issuedAt: NOW - 5 })
  })
  const verdict = verifyWidgetToken((await ask()).json().token, { secret: SECRET, now: NOW })
  t.match(verdict, { valid: true, payload: { message: 'ann', issuedAt: NOW } })
})

t.test('100 parallel connections of one address get 60 tokens and 40 times 429 with Retry-After', async (t) => {
  const { app } = await widgetTokenApp(t, { rateLimit: undefined } as object)
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  const answers = await Promise.all(Array.from({ length: 100 }, async () => {
    const response = await fetch(origin + PATH)
    await response.arrayBuffer()
    return { status: response.status, wait: Number(response.headers.get('retry-after')) }
  }))
  t.equal(answers.filter(({ status }) => status === 200).length, 60)
  t.equal(answers.filter(({ status, wait }) => status === 429 && wait > 0).length, 40)
})

async function revoke (
  app: Awaited<ReturnType<typeof widgetTokenApp>>['app'],
  kind: RevocationKind,
  subject: string,
  before: number
): Promise<void> {
  await app.tokenStore.revocations.revoke({ orgId: 'default', kind, subject, before, createdBy: null })
}
