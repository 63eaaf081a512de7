// The servers under test, each in a separate process, started when a row first needs them.
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import pg from 'pg'

import { generateSecret } from '../../signing/secret-strength/index.js'
import { signUserReference } from '../../signing/user-reference.js'
import { freePort } from '../../test/helpers/free-port.js'
import { PIPELINE_KEY, SERVER_SECRET } from '../load.js'
import { processorTime, residentMegabytes, startServer } from '../rounds.js'
import type { Server } from '../rounds.js'
import { EMBED_SECRET, EMBED_SITE, SHOP_KEY } from './names.js'

export const SERVERS = ['bare', 'jwt', 'memory', 'memory metrics', 'postgres', 'postgres metrics', 'built-in',
  'built-in limited'] as const
export type ServerName = typeof SERVERS[number]

export interface Session {
  access_token: string
  refresh_token: string
}

/** The time and memory of a start until the server is ready. */
export interface Start {
  /** Milliseconds. */
  elapsed: number
  /** Processor time of the process, milliseconds. */
  processor: number
  /** Resident memory, megabytes. */
  memory: number
}

/** A running server, with all that a request to it needs. */
export interface Target {
  server: Server
  /** The start of the built-in server. */
  start?: Start
  url: string
  upstream: string
  pipelineKey: string
  serverSecret: string
  /** The key of a source that accepts only the pages of one domain. */
  shopKey: string
  proxyKey: string
  userReference: string
  /** Starts a session of an administrator. */
  session(): Promise<Session>
}

const CLI = fileURLToPath(new URL('../../dist/server/cli.js', import.meta.url))
const EMAIL = 'admin@example.com'
const MANY = '1000000'
/** Limits so high that no request of the bench exceeds them; they are still checked. */
const LIMITS = {
  LOGIN_RATE_MAX: MANY,
  ADMIN_RATE_MAX: MANY,
  INGEST_KEY_RATE_MAX: '100000000',
  INGEST_IP_RATE_MAX: '100000000',
  EMBED_RATE_MAX: MANY,
  EMBED_CONNECTIONS_MAX: '10000',
  ADDRESS_SOCKETS_MAX: '10000',
  MAX_PENDING_EVENTS: '100000'
}

export type FleetSecrets = ReturnType<typeof createSecrets>
export interface FleetOptions {
  /** The folder in which each server writes a V8 processor profile when it ends. Default: none. */
  profiles?: string | undefined
  /** More flags of Node.js for each server. */
  flags?: readonly string[]
  /** Whether all servers share the database of the URL. Default: each gets a separate, empty one. */
  shared?: boolean
  /** Default: new ones. */
  secrets?: FleetSecrets
  /** Servers that are not written in JavaScript, by name. Default: none. */
  others?: Record<string, () => Promise<Server>>
}

export class Fleet {
  readonly #databaseUrl: string
  readonly #shared: boolean
  readonly #flags: readonly string[]
  readonly #writesProfiles: boolean
  readonly #targets = new Map<string, Promise<Target>>()
  readonly #closers: Array<() => unknown> = []
  readonly #secrets: FleetSecrets
  readonly #others: NonNullable<FleetOptions['others']>

  /** @param databaseUrl a PostgreSQL server */
  constructor (
    databaseUrl: string,
    { profiles, flags = [], shared = false, secrets = createSecrets(), others = {} }: FleetOptions = {}
  ) {
    this.#databaseUrl = databaseUrl
    this.#shared = shared
    this.#secrets = secrets
    this.#others = others
    this.#writesProfiles = profiles !== undefined
    this.#flags = [...flags, ...profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`]]
  }

  get (name: string): Promise<Target> {
    return this.#once(name, async () => {
      const upstream = (await this.#upstream()).url
      return name.startsWith('built-in')
        ? await this.#builtIn(upstream, await this.#database(name), name === 'built-in' ? MANY : '100')
        : await this.#lean(name, upstream)
    })
  }

  async close (): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close()
  }

  async #stop ({ process: child, stop }: Server): Promise<void> {
    if (!this.#writesProfiles || child.exitCode !== null) return stop()
    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    await exited
  }

  #once (name: string, start: () => Promise<Target>): Promise<Target> {
    const target = this.#targets.get(name) ?? start()
    this.#targets.set(name, target)
    return target
  }

  #upstream (): Promise<Target> {
    return this.#once('upstream', () => this.#lean('upstream', ''))
  }

  /** Creates an empty database, unless all servers share one. */
  async #database (name: string): Promise<string> {
    if (this.#shared) return this.#databaseUrl
    const url = new URL(this.#databaseUrl)
    const database = `bench_${name.replaceAll(/\W/g, '_')}`
    const client = new pg.Client({ connectionString: url.href })
    await client.connect()
    await client.query(`create database ${database}`).finally(() => client.end())
    url.pathname = `/${database}`
    return url.href
  }

  async #lean (name: string, upstream: string): Promise<Target> {
    const env = { ...this.#secrets, UPSTREAM: upstream, DATABASE_URL: await this.#database(name) }
    const server = await (this.#others[name]?.() ??
      startServer(name, env, { file: 'routes/server.ts', flags: [...this.#flags] }))
    this.#closers.push(() => this.#stop(server))
    const url = `http://127.0.0.1:${server.port}`
    return {
      ...this.#target(server, upstream),
      pipelineKey: PIPELINE_KEY,
      serverSecret: SERVER_SECRET,
      shopKey: SHOP_KEY,
      session: () => json<Session>(`${url}/bench/session`)
    }
  }

  /** Starts the compiled server as `fastify-gatehouse start` does in production. Its log goes to /dev/null. */
  async #builtIn (upstream: string, databaseUrl: string, notFoundMax: string): Promise<Target> {
    const dataDir = await mkdtemp(join(tmpdir(), 'bench-'))
    this.#closers.push(() => rm(dataDir, { recursive: true, force: true }))
    const port = await freePort()
    const { PROXY_KEY, REFERENCE_KEY, JWT_SECRET, SECRETS_KEY, ADMIN_PASSWORD } = this.#secrets
    const env = {
      ...process.env,
      ...LIMITS,
      NODE_ENV: 'production',
      NODE_OPTIONS: '',
      PORT: String(port),
      DATA_DIR: dataDir,
      DATABASE_URL: databaseUrl,
      NOT_FOUND_RATE_MAX: notFoundMax,
      JWT_SECRET,
      SECRETS_KEY,
      USER_REFERENCE_KEY: REFERENCE_KEY,
      ADMIN_EMAIL: EMAIL,
      ADMIN_PASSWORD,
      DATABRAIN_PROXY_KEY: PROXY_KEY,
      DATABRAIN_API_KEY: 'the-key-of-the-analytics-API',
      DATABRAIN_API_URL: upstream,
      DATABRAIN_DATA_APP: 'sales',
      BOLDBI_API_URL: upstream + EMBED_SITE,
      BOLDBI_EMBED_SECRET: EMBED_SECRET,
      DXFEED_SECRET: 'the secret of a product that is measured',
      DXFEED_ISSUER: 'acme',
      DXFEED_SESSION: 'web',
      DXFEED_FILTERS: 'NYSE,NASDAQ',
      EMBED_ORIGINS: 'https://app.example.com',
      MFA: 'off'
    }
    const child = spawn(process.execPath, [...this.#flags, CLI, 'start'], { env, stdio: ['ignore', 'ignore', 'inherit'] })
    const server: Server = { port, process: child, stop: () => child.kill('SIGKILL') }
    this.#closers.push(() => this.#stop(server))
    const target = this.#target(server, upstream)
    const start = await untilReady(server)
    const session = () =>
      json<Session>(`${target.url}/v1/admin/auth/login`, {}, { email: EMAIL, password: ADMIN_PASSWORD })
    const headers = { authorization: `Bearer ${(await session()).access_token}` }
    const create = (source: object) =>
      json<{ pipeline_key: string, server_secret: string }>(`${target.url}/v1/admin/sources`, headers, source)
    const openSource = await create({ name: `bench ${randomUUID()}`, domains: [], allow_any_origin: true })
    const shopSource = await create({ name: `shop ${randomUUID()}`, domains: ['shop.example.com'] })
    return {
      ...target,
      start,
      pipelineKey: openSource.pipeline_key,
      serverSecret: openSource.server_secret,
      shopKey: shopSource.pipeline_key,
      session
    }
  }

  #target (server: Server, upstream: string) {
    const { PROXY_KEY, REFERENCE_KEY } = this.#secrets
    return {
      server,
      url: `http://127.0.0.1:${server.port}`,
      upstream,
      proxyKey: PROXY_KEY,
      userReference: signUserReference({ sub: 'customer-42' }, { key: REFERENCE_KEY, audience: 'gatehouse-embed' })
    }
  }
}

export function createSecrets () {
  return {
    PROXY_KEY: generateSecret(),
    REFERENCE_KEY: generateSecret(),
    JWT_SECRET: generateSecret(),
    SECRETS_KEY: generateSecret(),
    ADMIN_PASSWORD: generateSecret()
  }
}

async function untilReady (server: Server): Promise<Start> {
  const { port, process: child } = server
  const began = performance.now()
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(10)) {
    if (child.exitCode !== null) throw new Error('The built-in server did not start')
    if (!await fetch(`http://127.0.0.1:${port}/readyz`).then(({ ok }) => ok, () => false)) continue
    const elapsed = performance.now() - began
    return { elapsed, processor: processorTime(server), memory: residentMegabytes(server) }
  }
  throw new Error('The built-in server is not ready after 60 s')
}

async function json<T> (url: string, headers: Record<string, string> = {}, body?: object): Promise<T> {
  const response = await fetch(
    url,
    body === undefined
      ? { headers }
      : { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) }
  )
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`)
  return await response.json() as T
}
