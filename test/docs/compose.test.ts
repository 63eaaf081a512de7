import { readFile } from 'node:fs/promises'

import t from 'tap'
import { parse } from 'yaml'

import { readConfig } from '../../server/config/index.js'
import { EnvironmentSchema } from '../../server/config/environment.js'
import { generateSecret } from '../../signing/secret-strength/index.js'

interface Service {
  environment?: Record<string, string>
  networks: string[] | Record<string, { ipv4_address?: string }>
  stop_grace_period?: string
  read_only?: boolean
}

const read = (name: string) => readFile(new URL(`../../${name}`, import.meta.url), 'utf8')
const parsed: unknown = parse(await read('compose.yaml'), { merge: true })
const example = await read('.env.example')
/** What .env.example asks for. */
const ASKED = Array.from(example.matchAll(/^([A-Z_]+)=$/gm), ([, name = '']) => name)
/** What makes no sense in production or with a file system that is only read. */
const LEFT_OUT = ['DATA_DIR', 'EMBED_USER', 'ALLOWED_HOSTS']

/** As docker compose has it under those variables: it reads the file, then puts them into its texts. */
function compose (variables: Record<string, string>): { services: Record<string, Service> } {
  return JSON.parse(
    JSON.stringify(parsed),
    (_key, value: unknown) => typeof value === 'string' ? interpolate(value, variables) : value
  )
}

function interpolate (text: string, variables: Record<string, string>): string {
  return text.replace(/\$\{([A-Z_]+):([-?])([^}]*)\}/g, (_whole, name: string, kind: string, rest: string) => {
    const value = variables[name] ?? ''
    if (value === '' && kind === '?') throw new Error(`${name} ${rest}`)
    return value === '' ? rest : value
  })
}

const filled = Object.fromEntries(
  ASKED.map((name) => [name, name === 'ADMIN_EMAIL' ? 'ann@example.com' : generateSecret()])
)
const { services } = compose(filled)
const instances = Object.entries(services).filter(([name]) => name.startsWith('gatehouse-')).map(([, service]) =>
  service
)

t.test('with .env.example filled in, the server takes the environment of both instances', async (t) => {
  t.equal(instances.length, 2)
  for (const { environment = {} } of instances) {
    t.match(readConfig(environment), {
      production: true,
      host: '0.0.0.0',
      database: { url: /^postgres:/ },
      redis: { url: /^redis:/ },
      nats: { url: /^nats:/ },
      databrain: null
    })
    t.same(environment, instances[0]?.environment)
  }
})

t.test('compose.yaml knows every variable of the server by its name', async (t) => {
  const known = Object.keys(EnvironmentSchema.properties)
  const given = Object.keys(instances[0]?.environment ?? {})
  t.same(given.filter((name) => !known.includes(name)), [])
  t.same(known.filter((name) => !given.includes(name)), LEFT_OUT)
})

t.test('each variable that .env.example leaves empty stops the start with its name, and no other does', async (t) => {
  t.ok(ASKED.length > 10)
  for (const name of ASKED) {
    t.throws(() => compose({ ...filled, [name]: '' }), { message: new RegExp(`^${name} .*see \\.env\\.example`) }, name)
  }
})

t.test('only nginx is a trusted proxy, and it reaches both instances', async (t) => {
  const { nginx } = services
  const addressOf = (service: Service | undefined) =>
    Array.isArray(service?.networks) ? undefined : service?.networks.front?.ipv4_address
  const conf = await read('deploy/nginx.conf')
  const servers = Array.from(conf.matchAll(/^ +server ([\d.]+):3000 /gm), ([, address]) => address)
  t.same(servers, instances.map(addressOf))
  for (const { environment } of instances) t.equal(environment?.TRUST_PROXY, addressOf(nginx))
})

t.test('all services have a file system that is only read, and more time for their end than the server ' +
  'needs', async (t) => {
  for (const [name, { read_only: readOnly, stop_grace_period: grace = '0s' }] of Object.entries(services)) {
    t.equal(readOnly, true, name)
    t.ok(Number.parseInt(grace, 10) > 10, name)
  }
})

t.test('the image is built from every folder that the build reads', async (t) => {
  const { include } = JSON.parse(await read('tsconfig.build.json')) as { include: string[] }
  const kept = (await read('.dockerignore')).split('\n').filter((line) => line.startsWith('!')).map((line) =>
    line.slice(1)
  )
  t.same([...include, 'web', 'scripts', 'package.json'].filter((path) => !kept.includes(path)), [])
})
