import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

import t from 'tap'
import fastify from 'fastify'

import { LogOutput } from '../../server/log-output.js'
import { loggerOptions } from '../../server/logging.js'

/** Returns an app that logs to an output, and the strings that the output has written. */
function loggingApp () {
  const written: string[] = []
  const output = new LogOutput((lines) => written.push(lines))
  const { log } = fastify({ logger: loggerOptions('debug', output) })
  return { written, output, log, messages: () => messagesIn(written.join('')) }
}

function messagesIn (text: string): unknown[] {
  return text.split('\n').filter((line) => line !== '').map((line) => (JSON.parse(line) as { msg: unknown }).msg)
}

t.test('lines at info are written together after at most 100 ms', async (t) => {
  const { written, log, messages } = loggingApp()
  log.info('first')
  log.info('second')
  t.same(written, [])
  for (let at = 0; at < 100 && written.length === 0; at++) await sleep(10)
  t.equal(written.length, 1)
  t.same(messages(), ['first', 'second'])
})

t.test('lines at other levels are written immediately, after the lines that wait', async (t) => {
  for (const level of ['debug', 'warn', 'error', 'fatal'] as const) {
    const { log, messages } = loggingApp()
    log.info('first')
    log[level](level)
    t.same(messages(), ['first', level])
  }
})

t.test('lines are written as soon as 4 KB wait', async (t) => {
  const { written, log, messages } = loggingApp()
  for (let at = 0; at < 100; at++) log.info({ detail: 'x'.repeat(100) }, String(at))
  t.ok(written.length > 2 && written.length < 10, `${written.length} writes`)
  t.ok(messages().length > 80)
})

t.test('a flush writes the lines that wait, and nothing if no line waits', async (t) => {
  const { written, output, log, messages } = loggingApp()
  output.flushSync()
  t.same(written, [])
  log.info('first')
  output.flushSync()
  t.same(messages(), ['first'])
  await sleep(150)
  t.equal(written.length, 1)
})

t.test('a process that exits writes the lines that wait', async (t) => {
  const module = new URL('../../server/log-output.ts', import.meta.url).href
  const script = `
    import { stdoutLog } from '${module}'
    const output = stdoutLog()
    for (let at = 0; at < 5; at++) output.write('{"level":30,"msg":' + at + '}\\n')
    process.exit()`
  const { stdout } = await promisify(execFile)(process.execPath, [...process.execArgv, '--input-type=module', '-e',
    script])
  t.same(messagesIn(stdout), [0, 1, 2, 3, 4])
})

t.test('the server continues if the reader of its log has ended', async (t) => {
  const module = new URL('../../server/log-output.ts', import.meta.url).href
  const script = `
    import { stdoutLog } from '${module}'
    const output = stdoutLog()
    const write = () => output.write('{"level":50}\\n')
    setInterval(write, 10)
    setTimeout(() => { console.error('alive'); process.exit(0) }, 500)`
  const running = promisify(execFile)(process.execPath, [...process.execArgv, '--input-type=module', '-e', script])
  running.child.stdout?.once('data', () => running.child.stdout?.destroy())
  t.match((await running).stderr, 'alive')
})
