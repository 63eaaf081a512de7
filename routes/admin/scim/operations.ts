import type { PatchOperation } from '../../../schemas/scim.js'
import { invalid } from './errors.js'

export type Operation = 'add' | 'replace' | 'remove'

/** Returns the parts of a PATCH operation; Entra ID writes `Add`, `Replace` and `Remove`. Throws `invalidSyntax`. */
export function operationOf (
  { op, path, value }: PatchOperation
): { operation: Operation, path: string | undefined, value: unknown } {
  const operation = op.toLowerCase()
  if (operation !== 'add' && operation !== 'replace' && operation !== 'remove') {
    throw invalid('invalidSyntax', 'The op of an operation must be add, replace or remove')
  }
  return { operation, path: path === null || path === '' ? undefined : path, value }
}
