/** A JSON Web Key Set as a provider sends it. */
export interface KeySet {
  keys: Array<Record<string, unknown>>
}

/** Maximum number of keys in a set. */
export const MAX_KEYS = 100

/** Returns whether a response is a set of 1 to 100 keys. */
export function isKeySet (set: object): set is KeySet {
  const { keys } = set as { keys?: unknown }
  // An empty set, as after a fault of the provider, does not replace the known keys.
  return Array.isArray(keys) && keys.length > 0 && keys.length <= MAX_KEYS &&
    keys.every((key) => typeof key === 'object' && key !== null)
}
