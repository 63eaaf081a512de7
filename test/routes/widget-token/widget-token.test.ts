import Fastify from 'fastify'
import t from 'tap'

import { FORBIDDEN, UNAUTHORIZED } from '../../../lib/errors.js'
import userReference from '../../../plugins/user-reference/index.js'
import widgetToken from '../../../routes/widget-token/index.js'
import type { WidgetTokenOptions } from '../../../routes/widget-token/index.js'
import { sha256Hex } from '../../../signing/digest.js'
import { generateSecret } from '../../../signing/secret-strength/index.js'
import { verifyWidgetToken } from '../../../signing/dxfeed/widget-token.js'
import { auditEntries } from '../../helpers/audit-entries.js'
import { PAGE, PATH, SECRET, widgetTokenApp } from '../../helpers/widget-token.js'
import vectors from '../../vectors/signatures.json' with { type: 'json' }

const NOW = 1_700_000_000_123

function read (token: string, timeUnit: 'ms' | 's' = 'ms', now = NOW) {
  const verdict = verifyWidgetToken(token, { secret: SECRET, timeUnit, now })
  if (!verdict.valid) throw new Error(`the token is ${verdict.reason}`)
  return verdict.payload
}

t.test('the signed-in user gets a token of 20 minutes with its end', async (t) => {
  const { ask } = await widgetTokenApp(t, { now: () => NOW, filters: ['FX', 'EQ'] })
  const response = await ask()
  t.equal(response.statusCode, 200)
  t.same(Object.keys(response.json()).sort(), ['expiresAt', 'issuedAt', 'refreshAfter', 'token'])
  t.equal(response.json().expiresAt, '2023-11-14T22:33:20.123Z')
  t.same(read(response.json().token), {
    issuer: 'acme',
    session: 'web',
    issuedAt: NOW,
    expiration: NOW + 1_200_000,
    message: 'ann,FX;EQ',
    user: 'ann',
    filters: ['FX', 'EQ']
  })
})

t.test('the published samples are reproduced byte for byte', async (t) => {
  for (const { secret, issuer, session, message, minutes, now, token } of vectors.dxfeed) {
    const [user = '', filters] = message.split(',')
    const { ask } = await widgetTokenApp(t, {
      secret,
      issuer,
      session,
      minutes,
      now: () => now,
      authorize: () => user,
      filters: filters === undefined ? [] : filters.split(';')
    })
    t.equal((await ask()).json().token, token, message)
  }
})

t.test('minutes from 5 to 20 are the exact validity of the token, in either unit', async (t) => {
  for (const minutes of [5, 15, 20]) {
    const ms = (await (await widgetTokenApp(t, { minutes, now: () => NOW })).ask()).json()
    const inMs = read(ms.token)
    t.equal(inMs.expiration - inMs.issuedAt, minutes * 60_000)
    const s = (await (await widgetTokenApp(t, { minutes, timeUnit: 's', now: () => NOW })).ask()).json()
    const inS = read(s.token, 's')
    t.equal(inS.expiration - inS.issuedAt, minutes * 60)
    t.equal(inS.issuedAt, 1_700_000_000)
    t.equal(Date.parse(s.expiresAt), inS.expiration * 1_000)
    t.match(s.expiresAt, /\.000Z$/)
  }
})

t.test('a user id that dxFeed issued is in every token, and authorize decides which users get a token and ' +
  'with which filters', async (t) => {
  let answer: ReturnType<WidgetTokenOptions['authorize']> = 'ann'
  const { app, ask } = await widgetTokenApp(t, {
    now: () => NOW,
    user: 'dx-user-7',
    filters: ['FX'],
    authorize: () => answer
  })
  t.match(read((await ask()).json().token), { message: 'dx-user-7,FX', user: 'dx-user-7' })
  answer = { user: 'Bob, Ltd; Berlin', filters: ['EQ', 'OPT'] }
  t.match(read((await ask()).json().token), { message: 'dx-user-7,EQ;OPT' })
  answer = null
  t.equal((await ask()).statusCode, 401)
  const entries = await auditEntries(app, 3)
  t.same(
    entries.map(({ userId }) => userId),
    ['ann', 'Bob, Ltd; Berlin', null],
    'the audit log contains the users of the host'
  )
})

t.test('without an issued user id the token contains the user id from authorize, which can be any ' +
  'string', async (t) => {
  for (const user of ['test', 'ann@example.com', '日本']) {
    const { ask } = await widgetTokenApp(t, { now: () => NOW, authorize: () => user })
    t.match(read((await ask()).json().token), { message: user, user, filters: [] })
  }
})

t.test('nothing in the request changes the user or the filters', async (t) => {
  const { ask } = await widgetTokenApp(t, { now: () => NOW, filters: ['FX'] })
  const query = 'message=eve&user=eve&userId=eve&filters=ALL&minutes=20&issuer=evil&session=evil&expiration=9e15'
  const response = await ask({
    url: `${PATH}?${query}`,
    payload: { message: 'eve', user: 'eve' },
    headers: { cookie: 'user=eve', 'x-user-id': 'eve', 'content-type': 'application/json' }
  })
  t.equal(response.statusCode, 200)
  t.match(read(response.json().token), {
    user: 'ann',
    filters: ['FX'],
    issuer: 'acme',
    session: 'web',
    expiration: NOW + 1_200_000
  })
})

t.test('filters that authorize returns replace those of the route', async (t) => {
  for (const [filters, expected] of [[['OWN'], ['OWN']], [[], []], [undefined, ['FX']]] as const) {
    const { ask } = await widgetTokenApp(t, {
      now: () => NOW,
      filters: ['FX'],
      authorize: async () => ({ user: 'bob', filters })
    })
    t.match(read((await ask()).json().token), { user: 'bob', filters: expected })
  }
})

t.test('no user is 401, a forbidden user 403, an error of the host 500', async (t) => {
  const cases: Array<[string, () => unknown, number, string]> = [
    ['null', () => null, 401, 'UNAUTHORIZED'],
    ['undefined', async () => {}, 401, 'UNAUTHORIZED'],
    ['an empty id', () => '', 401, 'UNAUTHORIZED'],
    ['UNAUTHORIZED', () => {
      throw new UNAUTHORIZED()
    }, 401, 'UNAUTHORIZED'],
    ['FORBIDDEN', async () => {
      throw new FORBIDDEN()
    }, 403, 'FORBIDDEN'],
    ['an error', () => {
      throw new Error('s3cret reason')
    }, 500, 'INTERNAL_ERROR'],
    ['a number', () => 7, 500, 'INTERNAL_ERROR'],
    ['an object without user', () => ({ id: 'ann' }), 500, 'INTERNAL_ERROR'],
    ['misspelt filters', () => ({ user: 'ann', filter: ['FX'] }), 500,
      'INTERNAL_ERROR'],
    ['filters that are a string', () => ({ user: 'ann', filters: 'FX' }), 500, 'INTERNAL_ERROR'],
    ['a tenant that is a number', () => ({ user: 'ann', tenant: 7 }), 500, 'INTERNAL_ERROR'],
    ['a tenant without a name', () => ({ user: 'ann', tenant: '' }), 500, 'INTERNAL_ERROR'],
    ['an invalid time', () => ({ user: 'ann', issuedAt: NaN }), 500, 'INTERNAL_ERROR'],
    ['a time in seconds', () => ({ user: 'ann', issuedAt: 1_700_000_000 }), 500, 'INTERNAL_ERROR'],
    ['a time that is a string', () => ({ user: 'ann', issuedAt: '1700000000000' }), 500, 'INTERNAL_ERROR']
  ]
  for (const [name, authorize, status, code] of cases) {
    const { ask } = await widgetTokenApp(t, { authorize: authorize as WidgetTokenOptions['authorize'] })
    const response = await ask()
    t.equal(response.statusCode, status, name)
    t.equal(response.json().error.code, code, name)
    t.notMatch(response.body, /s3cret|token"/)
  }
})

t.test('a user or filter that would change the meaning of the token is 403', async (t) => {
  for (const bad of ['a,b', 'a;b', 'a\nb', 'a\0b', '\ud800', 'a\u0085b']) {
    for (const answer of [bad, { user: 'ann', filters: [bad] }]) {
      const { ask } = await widgetTokenApp(t, { authorize: () => answer })
      const response = await ask()
      t.equal(response.statusCode, 403, encodeURIComponent(JSON.stringify(answer)))
      t.equal(response.json().error.code, 'FORBIDDEN')
    }
  }
})

t.test("a hook of the host and a guard in the route's options can refuse a request", async (t) => {
  const hooked = await widgetTokenApp(t, {}, {}, (app) => {
    app.addHook('onRequest', async () => {
      throw new FORBIDDEN()
    })
  })
  t.equal((await hooked.ask()).statusCode, 403)
  const guarded = await widgetTokenApp(
    t,
    { guards: { userReference: true }, authorize: ({ userReference }) => userReference?.sub },
    {},
    (app) => app.register(userReference, { keys: [generateSecret()] })
  )
  t.equal((await guarded.ask()).statusCode, 401)
  const response = await guarded.ask({ url: `${PATH}?ref=${guarded.app.userReference.sign({ sub: 'bob' })}` })
  t.equal(read(response.json().token, 'ms', Date.now()).user, 'bob')
})

t.test('every response has Cache-Control: no-store and Vary: Origin', async (t) => {
  for (const authorize of [() => 'ann', () => null]) {
    const { ask } = await widgetTokenApp(t, { authorize, rateLimit: { max: 2 } })
    for (const headers of [{}, { origin: PAGE }, { origin: 'https://evil.test' }, {}]) {
      const response = await ask({ headers })
      t.equal(response.headers['cache-control'], 'no-store', String(response.statusCode))
      t.match(response.headers.vary, /\borigin\b/i, String(response.statusCode))
    }
  }
})

t.test('HEAD and POST issue no token', async (t) => {
  const { ask } = await widgetTokenApp(t)
  for (const method of ['HEAD', 'POST'] as const) t.equal((await ask({ method })).statusCode, 404)
})

t.test('tokens and refusals are audited without the token', async (t) => {
  let user: string | null = 'ann'
  const { app, ask } = await widgetTokenApp(t, { authorize: () => user, userRateLimit: { max: 1 } })
  const { token } = (await ask()).json()
  await ask()
  user = null
  await ask()
  const [minted, limited, refused] = await auditEntries(app, 3)
  t.match(minted, {
    action: 'widget_token.minted',
    userId: 'ann',
    resourceType: 'widget_token',
    resourceId: sha256Hex(token).slice(0, 16),
    ipAddress: '127.0.0.1'
  })
  t.match(limited, { action: 'widget_token.refused', userId: 'ann', changes: { outcome: 'RATE_LIMITED' } })
  t.match(refused, { action: 'widget_token.refused', userId: null, changes: { outcome: 'UNAUTHORIZED' } })
  t.notOk(JSON.stringify(minted).includes(token.slice(-43)))
})

t.test('neither the secret nor the token is in the log, at trace level', async (t) => {
  const lines: string[] = []
  const { ask } = await widgetTokenApp(t, {}, {
    logger: {
      level: 'trace',
      stream: {
        write: (line: string) => {
          lines.push(line)
        }
      }
    }
  })
  const { token } = (await ask()).json()
  await ask({ headers: { origin: 'https://evil.test' } })
  t.ok(lines.length > 0)
  t.notOk(lines.join('').includes(token.slice(-43)))
  t.notOk(lines.join('').includes('s3cr3t'))
})

t.test('invalid options stop the start with the name of the option and without the secret', async (t) => {
  const good = { secret: SECRET, issuer: 'acme', session: 'web', authorize: () => 'ann' }
  const bad: Record<string, unknown[]> = {
    secret: [undefined, '', 7, 's3cr3t\ud800', () => '', () => 's3cr3t\ud800', async () => 7, async () => {
      throw new Error('s3cr3t')
    }],
    secretMaxAge: [-1, NaN, '2000'],
    issuer: [undefined, '', 'a,b', 'a\nb'],
    session: [undefined, '', 'a,b'],
    filters: ['FX', ['a,b'], ['a;b'], [''], [7]],
    timeUnit: ['minutes'],
    minutes: [0, -5, 4, 21, 1e9, 5.5, '15', NaN, null],
    authorize: [undefined, 'ann'],
    user: ['', 'a,b', 'a;b', 'a\nb', '\ud800', 7, null],
    path: ['token'],
    cors: [{ origins: ['*'] }, { origins: ['https://a.test/'] }, { origins: 'https://a.test' }, {}],
    guards: ['captcha']
  }
  for (const [option, values] of Object.entries(bad)) {
    for (const value of values) {
      if (option === 'minutes' && value === null) continue
      const app = Fastify()
      const error = await app.register(widgetToken, { ...good, [option]: value } as unknown as WidgetTokenOptions)
        .ready()
        .then(() => null, (error: Error & { code: string }) => error)
      t.equal(error?.code, 'INVALID_OPTIONS', `${option}: ${encodeURIComponent(String(JSON.stringify(value)))}`)
      t.match(error?.message, /^(widget-token|cors): /)
      t.notMatch(error?.message, /s3cr3t/)
      await app.close()
    }
  }
})
