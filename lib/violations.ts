import type { ErrorDetail } from './errors.js'
import { shownName } from './refusal-log/shown.js'

/** An error of Ajv. */
export interface Violation {
  readonly instancePath: string
  readonly params: Readonly<Record<string, unknown>>
  readonly message?: string | undefined
}

/** Returns the path and the rule of a violation. The path of a missing property ends with its name. */
export function violationDetail (violation: Violation): ErrorDetail {
  const { instancePath, params: { missingProperty } } = violation
  const missing = typeof missingProperty === 'string' ? `/${missingProperty}` : ''
  return { path: instancePath + missing, message: violationMessage(violation) }
}

/** Returns the message of a violation of a schema; for an enum it lists the allowed values, which Ajv leaves out. */
function violationMessage ({ params: { allowedValues: allowed }, message = 'is not valid' }: Violation): string {
  return Array.isArray(allowed) ? `${message}: ${allowed.map(String).join(', ')}` : message
}

/**
 * Returns the reason for the log if a property is unknown, else `null`. Responses never contain strings of the request.
 */
export function unknownProperty (violations: readonly Violation[]): string | null {
  for (const { params: { additionalProperty: name } } of violations) {
    if (typeof name === 'string') return `"${shownName(name)}" is unknown`
  }
  return null
}
