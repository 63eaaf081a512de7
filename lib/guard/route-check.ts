import type { FastifyInstance, FastifyRequest, HookHandlerDoneFunction, FastifyReply } from 'fastify'

import { INTERNAL_ERROR, INVALID_OPTIONS } from '../errors.js'
import { nearestName } from '../../signing/known-options.js'
import { watchRefusals } from '../refusal-log/index.js'
import { refuse } from '../refuse.js'
import { guardConfig, NOTHING } from './config.js'
import type { Config } from './config.js'
import { describeSecurity, documentCheck } from './openapi.js'
import type { WatchedRoute } from './openapi.js'
import { preflightProblem } from './preflight.js'
import { allGuards, resolvedGuards } from './registry.js'
import type { Registration } from './registry.js'

const WATCHED: unique symbol = Symbol.for('fastify-gatehouse.watched') as never
const CHECKED: unique symbol = Symbol.for('fastify-gatehouse.checked') as never

/** The credentials that routes of the suite issue before a guard can ask for them. */
const CREDENTIALS: readonly unknown[] = ['captcha', 'csrf'] satisfies Array<Config['issues']>

/** The modules of the package's guards by their name under `config.gatehouse`, for error messages. */
const MODULES: Readonly<Record<string, string>> = {
  admin: 'admin-guard',
  audit: 'audit-log',
  captcha: 'captcha',
  connectionLimit: 'connection-limit',
  csrf: 'csrf',
  https: 'require-https',
  identityToken: 'identity-token',
  pipelineKey: 'pipeline-key',
  proxyKey: 'proxy-key',
  rateLimit: 'rate-limit',
  signature: 'signature',
  userReference: 'user-reference'
}

/** The names under `config.gatehouse` of guards whose plugin has another name. */
const OPTIONS: Readonly<Record<string, string>> = { adminGuard: 'admin', auditLog: 'audit', requireHttps: 'https' }

type Scope = FastifyInstance & { [WATCHED]?: true, [CHECKED]?: WeakSet<object> }

/**
 * Checks `config.gatehouse` of every route that is declared in the scope from now on. The check runs when all plugins
 * are loaded: an unknown name, an invalid value or an unregistered guard makes the start fail.
 */
export function watchRoutes (scope: Scope): void {
  if (scope[WATCHED] === true) return
  scope[WATCHED] = true
  watchRefusals(scope)
  const routes: WatchedRoute[] = []
  const checkDocuments = documentCheck(scope)
  scope.addHook('onRoute', function collect (options) {
    routes.push({ scope: this, options })
  })
  scope.addHook('onReady', async function checkRoutes () {
    for (const { scope, options } of routes) {
      const guards = allGuards(scope)
      const problem = configProblem(options.config?.gatehouse, guards) ?? preflightProblem(options, scope, guards)
      if (problem !== null) throw new INVALID_OPTIONS(`${String(options.method)} ${options.url}: ${problem}`)
      describeSecurity(options, guards)
    }
    checkDocuments(routes.splice(0))
  })
}

/**
 * Refuses the requests of a route whose `config.gatehouse` has a fault, 500 `INTERNAL_ERROR`: a route that was declared
 * before the first plugin of the suite is not seen by `watchRoutes`, and must not be open because of a misspelt name.
 */
export function refuseFaultyConfig (scope: FastifyInstance): void {
  scope.addHook(
    'onRequest',
    function checkConfig (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction) {
      const config = guardConfig(request)
      const checked = checkedIn(request.server)
      if (config === NOTHING || checked.has(config)) return done()
      const problem = configProblem(config, resolvedGuards(request.server))
      if (problem !== null) {
        refuse(reply, new INTERNAL_ERROR({ reason: `${request.method} ${request.routeOptions.url ?? ''}: ${problem}` }))
        return
      }
      checked.add(config)
      done()
    }
  )
}

/** The faultless configurations of a scope's routes. Routes of several scopes may share one object. */
function checkedIn (scope: Scope): WeakSet<object> {
  if (!Object.hasOwn(scope, CHECKED)) scope[CHECKED] = new WeakSet()
  return scope[CHECKED] as WeakSet<object>
}

function hintFor (name: string, guards: ReadonlyMap<string, Registration>): string {
  const module = Object.hasOwn(MODULES, name) ? MODULES[name] : undefined
  if (module !== undefined) return `; register fastify-gatehouse/${module} there before the route`
  const option = Object.hasOwn(OPTIONS, name) ? OPTIONS[name] : nearestName(name, [...guards.keys()])
  return option == null ? '' : `; did you mean "${option}"?`
}

function configProblem (config: unknown, guards: ReadonlyMap<string, Registration>): string | null {
  if (config === undefined) return null
  if (typeof config !== 'object' || config === null) return 'config.gatehouse must be an object'
  for (const [name, value] of Object.entries(config)) {
    if (name === 'issues') {
      if (CREDENTIALS.includes(value)) continue
      return `config.gatehouse.issues must be ${CREDENTIALS.map((one) => `"${one}"`).join(' or ')}`
    }
    const guard = guards.get(name)
    if (guard === undefined) {
      return `config.gatehouse.${name}: no guard of that name is registered in the route's scope${hintFor(name, guards)}`
    }
    if (!guard.accepts(value)) return `config.gatehouse.${name} must be ${guard.expected}`
  }
  return null
}
