import { CONFLICT, GatehouseError, UNAVAILABLE } from '../../../lib/errors.js'

// SQLSTATE codes.
const UNIQUE_VIOLATION = '23505'
const FOREIGN_KEY_VIOLATION = '23503'

type Method = (...parameters: never[]) => unknown

/** Wraps methods so that they reject only with the project's errors; a backend error becomes `UNAVAILABLE`. */
export function guardBackend<Part extends object> (part: Part): Part {
  return Object.fromEntries(Object.entries(part).map(([name, method]) => [name, guarded(method as Method)])) as Part
}

function guarded (method: Method): Method {
  return (...parameters) => {
    const result = method(...parameters)
    return result instanceof Promise ? result.catch(rethrow) : result
  }
}

function rethrow (error: unknown): never {
  if (error instanceof GatehouseError) throw error
  const state = error instanceof Error && 'code' in error ? error.code : undefined
  // Leaves out the cause, whose detail quotes the value.
  if (state === UNIQUE_VIOLATION || state === FOREIGN_KEY_VIOLATION) throw new CONFLICT()
  throw new UNAVAILABLE({ cause: error })
}
