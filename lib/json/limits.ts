import { INVALID_REQUEST } from '../errors.js'

export interface JsonLimits {
  /** Maximum nesting depth; the value itself is level 1. */
  depth: number
  /** Maximum number of properties of all objects together. */
  properties: number
}

/** Limits of one event. */
export const EVENT_LIMITS: JsonLimits = { depth: 64, properties: 10_000 }
/** A signed webhook delivery may be large: an order of 1 700 lines has about 60 000 properties. */
export const DELIVERY_LIMITS: JsonLimits = { depth: 64, properties: 200_000 }

const TOO_DEEP = -1
const POLLUTING = -2
const NOT_FINITE = -3
const TOO_WIDE = -4

/**
 * Counts the properties of all objects in a parsed value. Throws `INVALID_REQUEST` beyond the limits, for a number that
 * is not finite, and for the keys `__proto__` and `constructor.prototype`.
 */
export function countProperties (value: unknown, { depth, properties }: JsonLimits): number {
  if (typeof value === 'number' && !Number.isFinite(value)) throw invalidRequest('A number is too large')
  if (typeof value !== 'object' || value === null) return 0
  const left = walk(value, depth, properties)
  switch (left) {
    case TOO_DEEP: throw invalidRequest(`The JSON is nested deeper than ${depth} levels`)
    case POLLUTING: throw invalidRequest('The keys __proto__ and constructor.prototype are not allowed')
    case NOT_FINITE: throw invalidRequest('A number is too large')
    case TOO_WIDE: throw invalidRequest(`There are more than ${properties} properties`)
    default: return properties - left
  }
}

function invalidRequest (message: string): InstanceType<typeof INVALID_REQUEST> {
  return new INVALID_REQUEST({ message })
}

/** Returns the number of remaining properties, or a negative error code. `levels` limits the recursion. */
function walk (value: object, levels: number, left: number): number {
  if (levels === 0) return TOO_DEEP
  let rest = left
  if (Array.isArray(value)) {
    for (const item of value as unknown[]) {
      rest = step(item, levels, rest)
      if (rest < 0) return rest
    }
    return rest
  }
  // JSON.parse creates own properties only, including "__proto__"; for-in is the fastest way to iterate over them.
  for (const key in value) {
    if (rest === 0) return TOO_WIDE
    const child = (value as Record<string, unknown>)[key]
    if (key === '__proto__' || (key === 'constructor' && hasPrototype(child))) return POLLUTING
    rest = step(child, levels, rest - 1)
    if (rest < 0) return rest
  }
  return rest
}

function step (child: unknown, levels: number, left: number): number {
  if (typeof child === 'number') return Number.isFinite(child) ? left : NOT_FINITE
  return typeof child === 'object' && child !== null ? walk(child, levels - 1, left) : left
}

function hasPrototype (value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype')
}
