import { Ajv } from 'ajv'
import type { ValidateFunction } from 'ajv'

import { INVALID_REQUEST } from '../../../lib/errors.js'
import { unknownProperty, violationDetail } from '../../../lib/violations.js'
import type { SsoProtocol } from './protocol.js'

/**
 * Returns a function that checks settings by the schema and the rules of a protocol, and returns them with defaults.
 * The function throws `INVALID_REQUEST`, whose details have paths below `/settings`.
 */
export function settingsCheck (
  protocol: SsoProtocol
): (settings: Record<string, unknown>, isOfHost?: boolean) => Record<string, unknown> {
  let validate: ValidateFunction | undefined

  return function checkSettings (settings, isOfHost = false) {
    const checked = valid(structuredClone(settings))
    // The data that completes the settings also comes from outside.
    const completed = protocol.completeSettings === undefined ? checked : valid(protocol.completeSettings(checked))
    protocol.checkSettings(completed, isOfHost)
    return completed
  }

  function valid (settings: Record<string, unknown>): Record<string, unknown> {
    // Compiled for the first settings, because it takes longer than the rest of the registration.
    validate ??= new Ajv({ useDefaults: true, allErrors: false, strict: 'log', allowUnionTypes: true })
      .compile(protocol.settingsSchema)
    if (validate(settings)) return settings
    const violations = validate.errors ?? []
    const reason = unknownProperty(violations)
    throw new INVALID_REQUEST({
      details: violations.map(violationDetail).map(({ path, message }) => ({ path: `/settings${path}`, message })),
      ...reason === null ? {} : { reason }
    })
  }
}
