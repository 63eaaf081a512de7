import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

import Fastify from 'fastify'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Browser, Page } from 'playwright-core'
import type { Test } from 'tap'

/** When the page's day begins. */
export const START = Date.parse('2030-01-01T00:00:00Z')

/** The helper as it is shipped; built before the tests run. */
export const SCRIPT = new URL('../../web/browser/browser.js', import.meta.url)

const POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'; img-src data:"

/**
 * What a page looks at: each call of `fetch`, in its own clock, how many of them were under way at once, and the
 * timers that are set.
 */
const WATCH = `{
  const { setTimeout: set, clearTimeout: clear } = window
  window.timers = new Set()
  window.setTimeout = (callback, ms) => {
    const id = set(() => { timers.delete(id); callback() }, ms)
    timers.add(id)
    return id
  }
  window.clearTimeout = (id) => { timers.delete(id); clear(id) }
  const send = window.fetch
  Object.assign(window, { calls: [], active: 0, most: 0, tokens: [], errors: [], thrown: [] })
  // A later task, independent of the clock of the page.
  window.turn = () => new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = resolve
    port2.postMessage(null)
  })
  window.fetch = async (...request) => {
    calls.push(Math.round(performance.now()))
    most = Math.max(most, ++active)
    try {
      const response = await send(...request)
      // A request is under way until its body has arrived: the helper gives both together 30 seconds.
      await response.clone().arrayBuffer()
      return response
    } finally { active-- }
  }
  addEventListener('unhandledrejection', ({ reason }) => thrown.push(String(reason)))
}`

export interface TokenPage {
  app: FastifyInstance
  origin: string
  page: Page
  /** The server's clock, which goes with the page's. */
  now(): number
  /** Answers `/token`. Default: a new token each time. */
  answer(with_: (reply: FastifyReply) => unknown): void
  /** Runs an expression in the page and gives what it comes to. */
  run<Result>(script: string): Promise<Result>
  /** Starts `keeper` in the page, which notes its `tokens` and its `errors`; with further options, as source text. */
  keep(options: string): Promise<void>
  /**
   * Lets so many milliseconds pass, each request being answered before the next ten seconds; `idle: false` does not
   * wait for answers.
   */
  pass(ms: number, options?: { idle?: boolean }): Promise<void>
  /** Resolves once an expression is true in the page; that may take as long as a busy machine takes. */
  until(script: string): Promise<void>
}

/** A page under a strict policy with the browser helper, whose clock stands still but for `pass`. */
export async function tokenPage (
  t: Test,
  browser: Browser,
  define: (app: FastifyInstance, now: () => number) => unknown = () => {}
): Promise<TokenPage> {
  const script = await readFile(SCRIPT, 'utf8')
  let passed = 0
  let made = 0
  let answer: (reply: FastifyReply) => unknown = () => ({ token: `token ${++made}` })
  const now = (): number => START + passed
  const app = Fastify({ forceCloseConnections: true })
  app.get(
    '/',
    (_request, reply) =>
      reply.type('text/html').header('content-security-policy', POLICY).send(
        '<!doctype html><title>Page</title><link rel="icon" href="data:,">'
      )
  )
  app.get('/browser.js', (_request, reply) => reply.type('text/javascript').send(script))
  app.get('/token', (_request, reply) => answer(reply))
  await define(app, now)
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => app.close())

  const context = await browser.newContext()
  t.teardown(() => context.close())
  const page = await context.newPage()
  await page.clock.install({ time: START - 60_000 })
  await page.addInitScript(WATCH)
  await page.goto(origin)
  await page.clock.pauseAt(START)

  const run = <Result>(script: string): Promise<Result> => page.evaluate(script)
  const until = async (script: string): Promise<void> => {
    for (const deadline = Date.now() + 60_000; !await run<boolean>(script); await sleep(5)) {
      if (Date.now() > deadline) throw new Error(`it never became true: ${script}`)
    }
  }
  return {
    app,
    origin,
    page,
    now,
    answer: (with_) => {
      answer = with_
    },
    run,
    until,
    async keep (options) {
      await run(`import('/browser.js').then(({ keepToken }) => {
        window.keeper = keepToken({ onToken: (token) => tokens.push(token), onError: (error, retryIn) => errors.push({ message: error.message, status: error.status, retryIn }), ${options} })
      })`)
    },
    async pass (ms, { idle = true } = {}) {
      // Less than the time that the helper gives a request.
      for (let left = ms; left > 0; left -= 10_000) {
        const step = Math.min(left, 10_000)
        passed += step
        await page.clock.runFor(step)
        // The helper reads the body in a later task.
        if (idle) await until('active === 0 && turn().then(() => active === 0)')
      }
    }
  }
}
