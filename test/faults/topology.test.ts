import { connect as connectTcp } from 'node:net'
import { connect } from 'node:tls'

import t from 'tap'
import { Agent, request } from 'undici'

import { storedEvents } from '../helpers/server-session.js'
import { topology } from '../helpers/topology.js'

/** A secret in a query, which no log is allowed to contain. */
const SECRET = 'a-key-in-a-query'

t.test('the topology of compose.yaml works as plain processes', async (t) => {
  // A limit that a test can reach.
  const started = await topology(t, [['limit_conn connections 256', 'limit_conn connections 20']])
  if (started === null) return
  const { made: { instances, token, pipelineKey }, front } = started
  const agents = new Map<string, Agent>()
  t.teardown(() => Promise.all(Array.from(agents.values(), (agent) => agent.destroy())))

  function agentAt (localAddress: string): Agent {
    const agent = agents.get(localAddress) ??
      new Agent({ localAddress, connect: { ca: front.ca, servername: 'localhost' } })
    agents.set(localAddress, agent)
    return agent
  }

  /** Sends a request over TLS as a client at this address. */
  async function ask (path: string, { from = '127.0.0.1', method = 'POST', body, headers = {} }: {
    from?: string
    method?: 'GET' | 'POST'
    body?: string
    headers?: Record<string, string>
  } = {}) {
    const reply = await request(`${front.origin}${path}`, {
      method,
      dispatcher: agentAt(from),
      headers: { 'content-type': 'application/json', authorization: `Bearer ${pipelineKey}`, ...headers },
      ...(body === undefined ? {} : { body })
    })
    const text = await reply.body.text()
    const code = /"code":"(\w+)"/.exec(text)?.[1]
    return { status: reply.statusCode, headers: reply.headers, text, code }
  }

  const track = (messageId: string, more = {}) =>
    JSON.stringify({ event: 'Seen', anonymousId: 'a', messageId, ...more })
  const toInstance = (origin: string) =>
    fetch(`${origin}/v1/t`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${pipelineKey}` },
      body: track('live')
    })
  async function stored (messageId: string): Promise<Record<string, unknown>> {
    for (const deadline = Date.now() + 60_000; Date.now() < deadline;) {
      for await (const event of storedEvents(instances[0] ?? { origin: '' }, token)) {
        if (event.messageId === messageId) return event
      }
    }
    throw new Error(`${messageId} was not stored`)
  }

  t.test("an event sent over TLS is stored with the address of its client, not with the client's forwarding " +
    'headers', async (t) => {
    const forged = { 'x-forwarded-for': '198.51.100.7', forwarded: 'for=198.51.100.7', 'x-real-ip': '198.51.100.7' }
    const { status } = await ask('/v1/t', { from: '127.0.0.5', body: track('spoofed'), headers: forged })
    t.equal(status, 200)
    t.match(await stored('spoofed'), { ip: '127.0.0.5' })
  })

  t.test('HTTPS responses have HSTS and a Secure cookie, and HTTP requests are redirected to HTTPS', async (t) => {
    const { status, headers } = await ask('/v1/t', {
      body: JSON.stringify({ event: 'Seen' }),
      headers: { 'x-forwarded-proto': 'http' }
    })
    t.equal(status, 200)
    t.match(headers['strict-transport-security'], /^max-age=\d{8}/)
    t.match(String(headers['set-cookie']), /^_dfid=.*; Secure;/)
    const plain = await fetch(`${front.plainOrigin}/v1/t?wk=1`, { method: 'POST', body: '{}', redirect: 'manual' })
    t.equal(plain.status, 308)
    t.equal(plain.headers.get('location'), 'https://127.0.0.1/v1/t?wk=1')
  })

  t.test('nginx accepts HTTP/2 and no TLS version before 1.2', async (t) => {
    const { hostname, port } = new URL(front.origin)
    const handshake = (options: object) =>
      new Promise<string>((resolve) => {
        const socket = connect(
          { host: hostname, port: Number(port), ca: front.ca, ALPNProtocols: ['h2'], ...options },
          () => {
            resolve(`${String(socket.alpnProtocol)} ${String(socket.getProtocol())}`)
            socket.destroy()
          }
        ).on('error', (error) => resolve(error.message))
      })
    t.equal(await handshake({}), 'h2 TLSv1.3')
    t.match(
      await handshake({ minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' }),
      /alert|version/
    )
  })

  t.test('a batch of 5 MB passes, and a body of 6 MB is 413', async (t) => {
    const padding = 'x'.repeat(60_000)
    const item = (index: number) => track(`large-${index}`, { type: 'track', properties: { padding } })
    const batch = `{"batch":[${Array.from({ length: 80 }, (_, index) => item(index)).join(',')}]}`.padEnd(
      5 * 1024 * 1024
    )
    const taken = await ask('/v1/batch', { body: batch })
    t.equal(taken.status, 200)
    t.match(JSON.parse(taken.text), { success: true, accepted: 80 })
    const refused = await ask('/v1/batch', { body: batch.padEnd(6 * 1024 * 1024) })
    t.equal(refused.status, 413)
    t.equal(refused.code, 'PAYLOAD_TOO_LARGE')
  })

  t.test('routes for operators are not reachable from outside, in any spelling of their path', async (t) => {
    for (const path of ['/metrics', '/readyz', '//readyz', '/%72eadyz', '/v1/../readyz', '/readyz?a=b']) {
      const { status, code } = await ask(path, { method: 'GET' })
      t.same({ status, code }, { status: 404, code: 'NOT_FOUND' }, path)
    }
    t.equal((await ask('/healthz', { method: 'GET' })).status, 200)
  })

  t.test('only the client that sends too many logins gets 429', async (t) => {
    const me = (from: string) =>
      ask('/v1/admin/auth/me', { from, method: 'GET', headers: { authorization: 'Bearer none' } })
    const answers = await Promise.all(Array.from({ length: 60 }, () => me('127.0.0.6')))
    const limited = answers.filter(({ status }) => status === 429)
    t.ok(limited.length >= 10, `${limited.length} of 60`)
    t.match(limited[0], { code: 'RATE_LIMITED', headers: { 'retry-after': '1', 'content-type': 'application/json' } })
    t.equal((await me('127.0.0.7')).status, 401)
  })

  t.test('only the client with too many connections gets 429', async (t) => {
    const { hostname, port } = new URL(front.origin)
    const sockets = await Promise.all(
      Array.from({ length: 20 }, () =>
        new Promise<ReturnType<typeof connect>>((resolve, reject) => {
          const socket = connect({
            socket: connectTcp({ host: hostname, port: Number(port), localAddress: '127.0.0.8' }),
            host: hostname,
            ca: front.ca
          }, () => {
            socket.write(
              'POST /v1/t HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n'
            )
          })
          // nginx has read the head and waits for the body.
          socket.on('error', reject).once('data', () => resolve(socket))
        }))
    )
    t.teardown(() => {
      for (const socket of sockets) socket.destroy()
    })
    const refused = await ask('/healthz', { from: '127.0.0.8', method: 'GET' })
    t.same({ status: refused.status, code: refused.code }, { status: 429, code: 'RATE_LIMITED' })
    t.equal((await ask('/healthz', { from: '127.0.0.9', method: 'GET' })).status, 200)
  })

  t.test('nginx does not buffer the events of the live view', async (t) => {
    const { statusCode, headers, body } = await request(`${front.origin}/v1/admin/events/live`, {
      dispatcher: agentAt('127.0.0.1'),
      headers: { authorization: `Bearer ${token}` }
    })
    t.equal(statusCode, 200)
    t.match(headers['content-type'], /^text\/event-stream/)
    let text = ''
    // The live view shows the events that its instance accepts.
    for await (const chunk of body) {
      const first = text === ''
      text += String(chunk as Buffer)
      if (first) await Promise.all(instances.map(({ origin }) => toInstance(origin)))
      if (text.includes('"live"')) break
    }
    t.match(text, /^event: stats$/m)
    t.match(text, /^event: accepted$/m)
  })

  t.test('the Redis ACL permits every command that the servers use', async (t) => {
    for (const { stdout, stderr } of instances) t.notMatch(stdout() + stderr(), /Redis|NOPERM/)
  })

  t.test('without one instance the other handles every request, and without both responses are 503 with ' +
    'Retry-After', async (t) => {
    const [first, second] = instances
    await first?.kill()
    for (let index = 0; index < 20; index++) {
      t.equal((await ask('/v1/t', { body: track(`alone-${index}`) })).status, 200)
    }
    await second?.kill()
    const { status, code, headers } = await ask('/v1/t', { body: track('nobody') })
    t.same({ status, code, after: headers['retry-after'] }, { status: 503, code: 'UNAVAILABLE', after: '1' })
  })

  t.test('no log of nginx contains a query string', async (t) => {
    await ask(`/v1/p.gif?wk=${SECRET}`, { method: 'GET' })
    const log = await front.accessLog()
    t.match(log, /"path":"\/v1\/p\.gif"/)
    t.notMatch(log + front.errors(), SECRET)
    t.doesNotThrow(() => log.trim().split('\n').map((line) => JSON.parse(line) as unknown))
  })
})
