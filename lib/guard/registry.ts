import type { FastifyInstance } from 'fastify'

/** A registered guard. */
export interface Registration {
  readonly fallback: unknown
  /** The credentials whose own routes the guard lets pass. */
  readonly exempts: readonly unknown[]
  readonly accepts: (value: unknown) => boolean
  readonly expected: string
  readonly securityScheme: string | undefined
  readonly refuses: boolean
  readonly passesPreflights: boolean
  /** Whether `@fastify/cors` was registered before the guard, so that its hook runs first. */
  readonly isAfterCors: boolean
}

// Symbol.for, so that two copies of the package in one process share their guards.
const GUARDS: unique symbol = Symbol.for('fastify-gatehouse.guards') as never
const RESOLVED: unique symbol = Symbol.for('fastify-gatehouse.resolved') as never

/** Holds only the guards of this scope, because parent scopes may add guards later. */
type Scope = FastifyInstance & { [GUARDS]?: Map<string, Registration>, [RESOLVED]?: Map<string, Registration> }

/** Adds a guard to the scope. Returns `false` if the scope already has a guard with this name. */
export function addGuard (scope: Scope, name: string, registration: Registration): boolean {
  const registered = scopeGuards(scope) ?? new Map<string, Registration>()
  if (registered.has(name)) return false
  scope[GUARDS] = registered.set(name, registration)
  return true
}

function scopeGuards (scope: Scope): Map<string, Registration> | undefined {
  return Object.hasOwn(scope, GUARDS) ? scope[GUARDS] : undefined
}

/** Returns the guards of a scope: its own, and those of parent scopes that it does not override. */
export function allGuards (scope: Scope): Map<string, Registration> {
  const guards = new Map<string, Registration>()
  for (let around: Scope | null = scope; around !== null; around = Object.getPrototypeOf(around) as Scope | null) {
    for (const [name, registration] of scopeGuards(around) ?? []) if (!guards.has(name)) guards.set(name, registration)
  }
  return guards
}

/** Returns the guards of a scope and caches them: after the start no more guards can be registered. */
export function resolvedGuards (scope: Scope): Map<string, Registration> {
  if (!Object.hasOwn(scope, RESOLVED)) scope[RESOLVED] = allGuards(scope)
  return scope[RESOLVED] as Map<string, Registration>
}

/** Returns the value of a guard for a route with this `config.gatehouse`. */
export function ruleOf (
  name: string,
  { fallback, exempts }: Registration,
  config: Readonly<Record<string, unknown>> | undefined
): unknown {
  return config?.[name] ?? (exempts.includes(config?.['issues']) ? undefined : fallback)
}

/** Returns whether a configured value enables the guard. */
export function isOn (value: unknown): boolean {
  return value !== undefined && value !== false && value !== 'off'
}
