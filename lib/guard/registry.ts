import type { FastifyInstance } from 'fastify'

/** A guard as it stands in a scope. */
export interface Registration {
  readonly fallback: unknown
  /** The credentials whose own routes the guard lets pass. */
  readonly exempts: readonly unknown[]
  readonly accepts: (value: unknown) => boolean
  readonly expected: string
  readonly securityScheme: string | undefined
  readonly refuses: boolean
  readonly passesPreflights: boolean
  /** Whether `@fastify/cors` was there when the guard was registered, so that its hook runs first. */
  readonly isAfterCors: boolean
}

// By Symbol.for, so that two copies of the package in one tree see each other's guards.
const GUARDS: unique symbol = Symbol.for('fastify-gatehouse.guards') as never
const RESOLVED: unique symbol = Symbol.for('fastify-gatehouse.resolved') as never

/** Guards are its own alone: those around it may be registered later. */
type Scope = FastifyInstance & { [GUARDS]?: Map<string, Registration>, [RESOLVED]?: Map<string, Registration> }

/** Adds a guard to the scope's own; `false`: there is one of that name. */
export function addGuard (scope: Scope, name: string, registration: Registration): boolean {
  const own = ownGuards(scope) ?? new Map<string, Registration>()
  if (own.has(name)) return false
  scope[GUARDS] = own.set(name, registration)
  return true
}

function ownGuards (scope: Scope): Map<string, Registration> | undefined {
  return Object.hasOwn(scope, GUARDS) ? scope[GUARDS] : undefined
}

/** The guards that hold in a scope: its own, and those of the scopes around it that it has not registered anew. */
export function allGuards (scope: Scope): Map<string, Registration> {
  const guards = new Map<string, Registration>()
  for (let around: Scope | null = scope; around !== null; around = Object.getPrototypeOf(around) as Scope | null) {
    for (const [name, registration] of ownGuards(around) ?? []) if (!guards.has(name)) guards.set(name, registration)
  }
  return guards
}

/** Once requests come no guard can be registered any more. */
export function resolvedGuards (scope: Scope): Map<string, Registration> {
  if (!Object.hasOwn(scope, RESOLVED)) scope[RESOLVED] = allGuards(scope)
  return scope[RESOLVED] as Map<string, Registration>
}

/** What a guard asks of a route with this `config.gatehouse`. */
export function ruleOf (name: string, { fallback, exempts }: Registration, config: Readonly<Record<string, unknown>> | undefined): unknown {
  return config?.[name] ?? (exempts.includes(config?.['issues']) ? undefined : fallback)
}

/** Whether what a route asks for, or a fallback, has the guard look at a request at all. */
export function isOn (value: unknown): boolean {
  return value !== undefined && value !== false && value !== 'off'
}
