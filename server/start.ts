import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'

import type { FastifyInstance } from 'fastify'

import type { Database } from '../lib/database/open-database.js'
import { createPasswords } from '../lib/passwords/index.js'
import { checkAdminPassword } from './admin-password.js'
import { buildApp } from './app.js'
import { banner } from './banner.js'
import type { Config } from './config/index.js'
import { firstStart } from './first-start.js'
import { startIdentityMocks } from './identity-mocks.js'
import { lateLog } from './late-log.js'
import { openMail } from './mail/index.js'
import { openData } from './open-data.js'
import { openSink } from './open-sink.js'
import type { EventDurability } from './open-sink.js'
import { openStore } from './open-store.js'
import { serverOrigins } from './config/server-origins.js'
import { startProducts } from './products.js'
import { openSecrets } from './secrets.js'
import { setUpLink } from './set-up-link.js'
import { adminPages } from './sso-paths.js'

export interface Running {
  app: FastifyInstance
  origin: string
  durability: EventDurability
  /** Drains for at most `limit` milliseconds, after `delay` milliseconds, and closes everything. Default `delay`: 0. */
  stop (limit: number, delay?: number): Promise<void>
}

export interface StartOptions {
  /** Prints a line for the operator; it is not a log line. */
  print (output: string): void
  /** The configured database, which may still be opening. Default: opens it. */
  database?: Promise<Database>
}

/** Starts the whole server. If a step fails, everything that was opened before is closed. */
export async function startServer (config: Config, { print, database: opening }: StartOptions): Promise<Running> {
  const closers: Array<() => Promise<unknown>> = []
  const log = lateLog(print)
  const closeAll = async () => {
    const failures: unknown[] = []
    // Closes each part even if another one fails.
    for (const close of closers.splice(0).reverse()) await close().catch((error: unknown) => failures.push(error))
    if (failures.length > 0) throw failures[0]
  }
  try {
    // Opens the database first, because a folder that another process holds must not be changed.
    const database = await (opening ?? openData(config, print))
    closers.push(() => database.close())
    const secrets = await openSecrets(config)
    const port = config.port === 0 ? await freePort(config.host) : config.port
    const origins = serverOrigins(config.host, port)
    const products = await startProducts(config, origins)
    closers.push(() => products.close())
    // Creates keys in other threads while the store and the sink open.
    const startingMocks = startIdentityMocks(config, config.publicUrl ?? origins[0])
    startingMocks.catch(() => {})
    closers.push(async () => (await startingMocks.catch(() => null))?.close())

    const { store, close: closeStore } = await openStore(config, database, secrets.SECRETS_KEY, log)
    closers.push(closeStore)
    if (await store.users.count() === 0) await checkAdminPassword(config.admin)
    const { sink, durability, close: closeSink } = await openSink(config, database, log)
    closers.push(closeSink)
    const mail = await openMail(config)
    closers.push(async () => mail.close())
    let started = false
    const app = await buildApp({
      config,
      secrets,
      products,
      store,
      sink,
      durability,
      mail,
      identityMocks: await startingMocks,
      origins,
      started: () => started
    })
    log.follow(app.log)
    mail.announce(app.log)
    closers.push(() => app.close())
    // Listens before firstStart: a used port must not lose the password, which is printed only once.
    await app.listen({ host: config.host, port, backlog: 4_096 }).catch(explainUsedPort)
    const first = await firstStart(store, await createPasswords(), config.admin, config.production ? null : origins)
    // The link has the server's own origin, and no email of ADMIN_EMAIL: values of the environment are never printed.
    const setUp = config.console && first !== null && first.generatedPassword !== null
      ? await setUpLink(store, secrets.JWT_SECRET, {
        email: first.email,
        accountUrl: origins[0] + adminPages(config).account,
        showsEmail: !config.admin.isEmailSet
      })
      : null
    print(banner({ origin: origins[0], config, first, setUp }))
    started = true

    async function stop (limit: number, delay = 0) {
      await app.drain(limit, delay)
      await closeAll()
    }
    return { app, origin: origins[0], durability, stop }
  } catch (error) {
    // Only the first error is reported.
    await closeAll().catch(() => {})
    throw error
  }
}

/** Adds to the error of a used port how to choose another one. */
function explainUsedPort (error: NodeJS.ErrnoException): never {
  if (error.code === 'EADDRINUSE') error.message += '; stop the other process, or set PORT to another port'
  throw error
}

async function freePort (host: string): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => { server.once('error', reject).listen(0, host, resolve) })
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => { server.close(resolve) })
  return port
}
