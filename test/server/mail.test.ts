import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

import { SMTPServer } from 'smtp-server'
import t from 'tap'
import type { Test } from 'tap'

import { readConfig } from '../../server/config/index.js'
import { openMail } from '../../server/mail/index.js'
import { tokenIn } from '../helpers/admin-users.js'
import { demoApp } from '../helpers/server-app.js'
import type { DemoApp } from '../helpers/server-app.js'
import { temporaryFolder } from '../helpers/server-process.js'

const PASSWORD = 'p-4Tq8z/x'
const FROM = 'Gatehouse <gate@example.com>'

interface Received {
  from: string
  to: string[]
  user: unknown
  source: string
}

/** Starts an SMTP server that requires a login. It receives over plain text, as a relay on the same machine. */
async function smtpServer (t: Test): Promise<{ port: number, received: Received[] }> {
  const received: Received[] = []
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    onAuth ({ username, password }, _session, done) {
      if (username === 'gate' && password === PASSWORD) done(null, { user: username })
      else done(new Error('wrong credentials'))
    },
    onRcptTo ({ address }, _session, done) {
      done(address.startsWith('bounce') ? new Error('no such mailbox') : null)
    },
    onData (stream, { envelope, user }, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const { mailFrom, rcptTo } = envelope
        received.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          user,
          source: Buffer.concat(chunks).toString()
        })
        done()
      })
    }
  })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => new Promise<void>((resolve) => { server.close(resolve) }))
  return { port: (server.server.address() as AddressInfo).port, received }
}

/** Returns the header and the decoded text of a mail. */
function parse (source: string): { header: string, text: string } {
  const [header = '', ...body] = source.split('\r\n\r\n')
  const text = body.join('\r\n\r\n').replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_code, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return { header, text: text.replaceAll('\r\n', '\n') }
}

async function ownerOf ({ app, first }: DemoApp) {
  const { email, generatedPassword: password } = first
  const { access_token: token } =
    (await app.inject({ method: 'POST', url: '/v1/admin/auth/login', payload: { email, password } })).json()
  return async (url: string, payload: object) =>
    app.inject({ method: 'POST', url: `/v1/admin${url}`, payload, headers: { authorization: `Bearer ${token}` } })
}

t.test('an invitation arrives over SMTP, with a link under PUBLIC_URL that is accepted', async (t) => {
  const { port, received } = await smtpServer(t)
  const demo = await demoApp(t, {
    SMTP_URL: `smtp://gate:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}`,
    MAIL_FROM: FROM,
    PUBLIC_URL: 'https://gate.example.com/'
  })
  const post = await ownerOf(demo)
  t.equal((await post('/users/invite', { email: 'New@Example.com', role: 'editor' })).statusCode, 201)
  t.equal(received.length, 1)
  const [mail] = received
  t.match(mail, { from: 'gate@example.com', to: ['new@example.com'], user: 'gate' })
  const { header, text } = parse(mail?.source ?? '')
  for (const line of ['From: Gatehouse <gate@example.com>', 'To: new@example.com', 'Subject: Invitation to default',
    'Auto-Submitted: auto-generated']) t.ok(header.split('\r\n').includes(line), line)
  t.match(text, 'https://gate.example.com/console/account#/accept?token=')
  const token = tokenIn({ kind: 'invitation', to: '', subject: '', text, link: null })
  const accepted = await post('/invitations/accept', { token, password: 'violet anchors drift slowly' })
  t.equal(accepted.statusCode, 201)

  t.equal((await post('/auth/password-reset', { email: 'new@example.com' })).statusCode, 202)
  await demo.app.close()
  t.equal(received.length, 2, 'a mail after a response is sent before the server stops')
  t.match(received[1]?.to, ['new@example.com'])
  t.notOk(demo.log.text().includes(token))
})

t.test('a mailbox or a login that the SMTP server refuses is 503, and the log has no password', async (t) => {
  const { port, received } = await smtpServer(t)
  const cases: ReadonlyArray<[password: string, options: string, email: string, code: string]> = [
    [PASSWORD, '', 'bounce@example.com', 'EENVELOPE'],
    ['another', '', 'new@example.com', 'EAUTH'],
    [PASSWORD, '?requireTLS=true', 'new@example.com', 'ETLS']
  ]
  for (const [password, options, email, code] of cases) {
    const demo = await demoApp(t, {
      SMTP_URL: `smtp://gate:${encodeURIComponent(password)}@127.0.0.1:${port}${options}`,
      MAIL_FROM: FROM
    })
    const post = await ownerOf(demo)
    const reply = await post('/users/invite', { email, role: 'viewer' })
    t.equal(reply.statusCode, 503, code)
    t.equal(reply.json().error.code, 'UNAVAILABLE')
    const line = demo.log.text().split('\n').find((text) => text.includes('mail not sent')) ?? '{}'
    t.match(JSON.parse(line), { kind: 'invitation', err: { code } })
    t.notOk(demo.log.text().includes(password))
  }
  t.same(received, [])
})

t.test('without SMTP_URL a mail becomes a file that only the user of the server can read', async (t) => {
  const dataDir = await temporaryFolder(t)
  await mkdir(join(dataDir, 'outbox'), { mode: 0o755 })
  const { app, log, first } = await demoApp(t, { DATA_DIR: dataDir })
  await app.inject({ method: 'POST', url: '/v1/admin/auth/password-reset', payload: { email: first.email } })
  await app.close()
  const folder = join(dataDir, 'outbox')
  const [name = '', ...others] = await readdir(folder)
  t.same(others, [])
  t.match(name, /^\d{4}-.+-password_reset-[0-9a-f]{8}\.txt$/)
  t.equal((await stat(folder)).mode & 0o777, 0o700)
  t.equal((await stat(join(folder, name))).mode & 0o777, 0o600)
  const content = await readFile(join(folder, name), 'utf8')
  t.match(content, `To: ${first.email}\nSubject: Set a new password\n\n`)
  t.match(content, 'http://127.0.0.1:3000/console/account#/reset?token=')
  t.notOk(log.text().includes(tokenIn({ kind: 'password_reset', to: '', subject: '', text: content, link: null })))
})

t.test('the log names the folder of the mails once, as a warning in production', async (t) => {
  const lines: Array<[level: string, details: object]> = []
  const log = Object.fromEntries(
    ['info', 'warn'].map((level) => [level, (details: object) => { lines.push([level, details]) }])
  )
  for (const production of [false, true]) {
    const { announce } = await openMail({ ...readConfig({ DATA_DIR: '/data' }), production })
    announce(log as never)
  }
  t.same(lines, [['info', { outbox: '/data/outbox' }], ['warn', { outbox: '/data/outbox' }]])
})

t.test('an outbox that cannot be written is a mail that was not sent', async (t) => {
  const dataDir = await temporaryFolder(t)
  await writeFile(join(dataDir, 'outbox'), 'a file')
  const demo = await demoApp(t, { DATA_DIR: dataDir })
  const post = await ownerOf(demo)
  const reply = await post('/users/invite', { email: 'new@example.com', role: 'viewer' })
  t.equal(reply.statusCode, 503)
  t.equal(reply.json().error.code, 'UNAVAILABLE')
})
