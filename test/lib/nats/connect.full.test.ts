import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { nkeys } from '@nats-io/transport-node'
import t from 'tap'

import { connectNats, jetstreamSink } from '../../../plugins/event-sink/jetstream/index.js'
import { readNatsUrls } from '../../../lib/nats/urls.js'
import { anEvent } from '../../../conformance/event-sink/index.js'
import { connected, eventsIn, ownStream } from '../../helpers/jetstream.js'
import { leakyPipe } from '../../helpers/leaky-pipe.js'
import { privateNats } from '../../helpers/nats.js'
import { selfSigned } from '../../helpers/self-signed.js'

t.test('URLs are parsed with their credentials in every notation', async (t) => {
  const plain = { servers: ['a:4222'], credentials: {}, demandsTls: false }
  for (const url of ['nats://a', 'a', 'a:4222', ' nats://a:4222/ ', ['nats://a']]) t.same(readNatsUrls(url), plain)
  t.same(readNatsUrls('nats://u:p%40%2F@a:1, tls://[::1]:2,b'), {
    servers: ['a:1', '[::1]:2', 'b:4222'],
    credentials: { user: 'u', password: 'p@/' },
    demandsTls: true
  })
  t.same(readNatsUrls(['nats://t%20k@a']).credentials, { token: 't k' })
  for (
    const url of ['', ' , ', [], 'http://secret@a', 'nats://secret@', 'nats://a/secret', 'nats://secret%@a',
      'nats://a?secret', 'nats://secret@a,nats://other@b']
  ) {
    t.throws(() => readNatsUrls(url), { code: 'INVALID_OPTIONS', message: /^nats: (?!.*secret)/ }, String(url))
  }
})

t.test('an unreachable or refusing broker is an error that does not contain the password', async (t) => {
  const nats = await privateNats(t, { configuration: 'authorization { user: u, password: right }' })
  if (nats === null) return
  const { host } = new URL(nats.url)
  await t.rejects(connectNats({ url: `nats://u:wrong@${host}` }), {
    message: new RegExp(`^Cannot connect to NATS at ${host}: (?!.*wrong).*authorization`, 'i')
  })
  await t.rejects(connectNats({ url: nats.url }), /authorization/i)
  await nats.stop()
  await t.rejects(connectNats({ url: `nats://u:right@${host}` }), {
    message: `Cannot connect to NATS at ${host}: connection refused`
  })
  for (const option of ['connectTimeout', 'reconnectWait', 'pingInterval']) {
    await t.rejects(connectNats({ url: nats.url, [option]: 0 }), {
      code: 'INVALID_OPTIONS',
      message: new RegExp(`"${option}"`)
    })
  }
})

t.test('credentials can be in the URL, in options or in a file', async (t) => {
  const user = nkeys.createUser()
  const secured = (configuration: string) => privateNats(t, { configuration })
  const byPassword = await secured('authorization { user: u, password: "p@" }')
  const byToken = await secured('authorization { token: secret }')
  const byKey = await secured(`authorization { users: [{ nkey: ${user.getPublicKey()} }] }`)
  if (byPassword === null || byToken === null || byKey === null) return
  await connected(t, { url: byPassword.url.replace('//', '//u:p%40@') })
  await connected(t, { url: byPassword.url, user: 'u', password: 'p@' })
  await connected(t, { url: byToken.url.replace('//', '//secret@') })
  await connected(t, { url: byToken.url, token: 'secret' })

  const folder = await mkdtemp(join(tmpdir(), 'creds-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const credsFile = join(folder, 'user.creds')
  await t.rejects(connectNats({ url: byKey.url, credsFile }), {
    code: 'INVALID_OPTIONS',
    message: /"credsFile" cannot be read/
  })
  const section = (title: string, text: string) => `-----BEGIN ${title}-----\n${text}\n------END ${title}------\n\n`
  await writeFile(
    credsFile,
    section('NATS USER JWT', 'none') + section('USER NKEY SEED', new TextDecoder().decode(user.getSeed()))
  )
  const connection = await connected(t, { url: byKey.url, credsFile })
  await writeFile(credsFile, 'half writ')
  await connection.reconnect()
  await connection.flush().catch(() => connection.flush())
  t.equal(connection.isClosed(), false, 'an invalid file does not close the connection')
})

t.test('a connection with tls:// needs a trusted certificate and a broker with TLS', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'tls-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const { key, cert } = selfSigned()
  await Promise.all([writeFile(join(folder, 'key.pem'), key), writeFile(join(folder, 'cert.pem'), cert)])
  const nats = await privateNats(t, {
    configuration: `tls { cert_file: "${folder}/cert.pem", key_file: "${folder}/key.pem" }`,
    ca: cert
  })
  const open = await privateNats(t, { configuration: 'server_name: open' })
  if (nats === null || open === null) return
  await connected(t, { url: nats.url.replace('nats:', 'tls:'), tls: { ca: cert } })
  await t.rejects(connectNats({ url: nats.url.replace('nats:', 'tls:') }), /Cannot connect to NATS/)
  await t.rejects(connectNats({ url: open.url.replace('nats:', 'tls:') }), /Cannot connect to NATS.*tls/)
})

t.test('a connection that stalls is closed, and the next connection is used', async (t) => {
  const nats = await privateNats(t)
  if (nats === null) return
  const pipe = await leakyPipe(t, nats.url)
  const connection = await connected(t, { url: pipe.url, pingInterval: 300, reconnectWait: 100 })
  const direct = await connected(t, { url: nats.url })
  const stream = ownStream(t, direct)
  const sink = await jetstreamSink({ connection, stream, ackTimeout: 500, maxPending: 100_000 })
  // More data than the socket buffers hold, so that the client still has a part of it.
  const large = Array.from({ length: 60 }, () => anEvent({ payload: JSON.stringify({ text: 'x'.repeat(200_000) }) }))
  pipe.clog()
  await t.rejects(sink.write(large), { code: 'UNAVAILABLE' })
  const event = anEvent()
  for (const deadline = Date.now() + 60_000; ; await sleep(100)) {
    const stored = await sink.write([event]).then(() => true, () => false)
    if (stored || Date.now() > deadline) break
  }
  const patient = await jetstreamSink({ connection, stream, maxPending: 100_000, ackTimeout: 30_000 })
  await patient.write(large)
  const ids = (await eventsIn(direct, stream.name)).map(({ messageId }) => messageId)
  t.same(ids.sort(), [event, ...large].map(({ messageId }) => messageId).sort())
})
