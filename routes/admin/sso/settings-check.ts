import { Ajv } from 'ajv'
import type { ErrorObject, ValidateFunction } from 'ajv'

import { INVALID_REQUEST } from '../../../lib/errors.js'
import type { SsoProtocol } from './protocol.js'

/**
 * Returns a function that checks settings by the schema and the rules of a protocol, and returns them with defaults.
 * The function throws `INVALID_REQUEST`, whose details have paths below `/settings`.
 */
export function settingsCheck (
  protocol: SsoProtocol
): (settings: Record<string, unknown>, isOfHost?: boolean) => Record<string, unknown> {
  const ajv = new Ajv({ useDefaults: true, allErrors: false, strict: 'log', allowUnionTypes: true })
  const validate: ValidateFunction = ajv.compile(protocol.settingsSchema)

  return function checkSettings (settings, isOfHost = false) {
    const checked = valid(structuredClone(settings))
    // What completes the settings comes from outside as well.
    const completed = protocol.completeSettings === undefined ? checked : valid(protocol.completeSettings(checked))
    protocol.checkSettings(completed, isOfHost)
    return completed
  }

  function valid (settings: Record<string, unknown>): Record<string, unknown> {
    if (validate(settings)) return settings
    throw new INVALID_REQUEST({ details: (validate.errors ?? []).map(toDetail) })
  }
}

function toDetail ({ instancePath, params, message = 'is not valid' }: ErrorObject) {
  const { additionalProperty, missingProperty } = params as { additionalProperty?: string, missingProperty?: string }
  const name = missingProperty ?? ''
  // The name of an unknown property is the client's own text, so it is not repeated.
  const text = additionalProperty === undefined ? message : 'must not have unknown properties'
  return { path: `/settings${instancePath}${name === '' ? '' : `/${name}`}`, message: text }
}
