import { describeEnvironment } from '../config/environment.js'
import type { Command } from './command.js'

export type { Command } from './command.js'

const SERVER = ['@fastify/helmet', '@fastify/swagger', '@fastify/swagger-ui', 'prom-client']

const start: Command = {
  usage: 'start',
  about: 'Starts the built-in server; `demo` is an alias',
  options: {},
  needs: (
    environment
  ) => [...new Set([...forData(environment), ...forEvents(environment), ...forGuards(environment),
    ...forConsole(environment), ...forMail(environment), ...forMfa(environment), ...forIdentity(environment),
    ...forSso(environment), '@node-rs/argon2', ...SERVER])],
  run: async () => await (await import('./start.js')).start()
}

// Each command imports its module when it runs, because the modules import optional packages.
export const COMMANDS: Readonly<Record<string, Command>> = {
  start,
  demo: start,
  'generate-key': {
    usage: 'generate-key',
    about: 'Prints a new random secret for JWT_SECRET, SECRETS_KEY, a proxy key, …',
    options: {},
    needs: () => [],
    run: async () => console.log((await import('../../signing/secret-strength/index.js')).generateSecret())
  },
  migrate: {
    usage: 'migrate',
    about: 'Migrates the database to the current schema',
    options: {},
    needs: forData,
    run: async () => await (await import('./migrate.js')).migrate()
  },
  'create-admin': {
    usage: 'create-admin --email <address> [--role owner|admin|editor|viewer] [--org <id>] ' +
      '[--reset | --unlock | --remove-factors]',
    about: 'Creates an administrator, or sets a new password with --reset; prints the password unless ' +
      'ADMIN_PASSWORD is set. --org adds a new or existing account to an organisation. --reset and --unlock also ' +
      'unlock an account after too many failed logins. --remove-factors is for a user who has lost all second factors',
    options: {
      email: { type: 'string' },
      role: { type: 'string' },
      org: { type: 'string' },
      reset: { type: 'boolean' },
      unlock: { type: 'boolean' },
      'remove-factors': { type: 'boolean' }
    },
    needs: (environment) => [...forData(environment), '@node-rs/argon2'],
    run: async (values) => await (await import('./create-admin.js')).createAdmin(values)
  },
  organisations: {
    usage: 'organisations list | create --name <name> [--id <id>] | rename --id <id> --name <name> | limits --id <id> | ' +
      'verify-domain --id <id> --domain <domain>',
    about: 'Lists, creates and renames organisations. create and limits take --max-users and --max-sources: a number ' +
      'or none. verify-domain lets an organisation log in the users of an email domain without a proof in DNS',
    options: {
      id: { type: 'string' },
      name: { type: 'string' },
      domain: { type: 'string' },
      'max-users': { type: 'string' },
      'max-sources': { type: 'string' }
    },
    actions: ['list', 'create', 'rename', 'limits', 'verify-domain'],
    needs: forData,
    run: async (values, action) => await (await import('./organisations.js')).organisations(values, action)
  },
  'create-source': {
    usage: 'create-source --name <name> [--domain <origin or host> …] [--environment live|test]',
    about: 'Creates a source and prints its pipeline key and server secret',
    options: { name: { type: 'string' }, domain: { type: 'string', multiple: true }, environment: { type: 'string' } },
    needs: forData,
    run: async (values) => await (await import('./create-source.js')).createSourceCommand(values)
  },
  sign: {
    usage: 'sign [--file <path>] [--timestamped]',
    about: 'Prints the signature headers for a body from a file or stdin; reads the server secret from SERVER_SECRET',
    options: { file: { type: 'string' }, timestamped: { type: 'boolean' } },
    needs: () => [],
    run: async (values) => await (await import('./sign.js')).sign(values)
  }
}

function forData ({ DATABASE_URL = '', REDIS_URL = '' }: NodeJS.ProcessEnv): string[] {
  return ['kysely', DATABASE_URL === '' ? '@electric-sql/pglite' : 'pg', ...(REDIS_URL === '' ? [] : ['ioredis'])]
}

function forEvents ({ NATS_URL = '' }: NodeJS.ProcessEnv): string[] {
  return NATS_URL === '' ? [] : ['@nats-io/transport-node', '@nats-io/jetstream']
}

function forGuards ({ CSRF = '', CAPTCHA = '' }: NodeJS.ProcessEnv): string[] {
  return [...(CSRF === 'on' ? ['@fastify/csrf-protection'] : []), ...(CAPTCHA === 'altcha' ? ['altcha-lib'] : [])]
}

function forMail ({ SMTP_URL = '' }: NodeJS.ProcessEnv): string[] {
  return SMTP_URL === '' ? [] : ['nodemailer']
}

function forIdentity ({ IDENTITY_ISSUER = '' }: NodeJS.ProcessEnv): string[] {
  return IDENTITY_ISSUER === '' ? [] : ['jose']
}

function forConsole ({ CONSOLE = '' }: NodeJS.ProcessEnv): string[] {
  return CONSOLE === 'off' ? [] : ['@fastify/static']
}

function forMfa ({ MFA = '', MFA_ORIGINS = '', NODE_ENV = '' }: NodeJS.ProcessEnv): string[] {
  if (MFA === 'off') return []
  return MFA_ORIGINS === '' && NODE_ENV === 'production' ? ['otplib'] : ['otplib', '@simplewebauthn/server']
}

function forSso ({ SSO = '', PUBLIC_URL = '', NODE_ENV = '' }: NodeJS.ProcessEnv): string[] {
  if (SSO === 'off' || (NODE_ENV === 'production' && PUBLIC_URL === '')) return []
  return ['openid-client', 'jose', '@node-saml/node-saml', '@xmldom/xmldom', 'xml-crypto']
}

const usages = Object.entries(COMMANDS).filter(([name]) => name !== 'demo').map(([, { usage, about }]) =>
  `  ${usage}\n      ${about}`
)

export const HELP = `fastify-gatehouse <command>

${usages.join('\n')}

Environment (defaults in brackets; an empty variable is the same as an unset variable):

${describeEnvironment()}
`
