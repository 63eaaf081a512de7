import { SIGNATURE_REQUIRED } from '../errors.js'
import type { GatehouseError } from '../errors.js'
import { refusedOrigin } from '../refuse.js'
import type { Source } from '../../contracts/token-store/index.js'
import { allowsOrigin } from './source-cors.js'

/** Returns the error of a request without a signature, by the origin and by the rule of the source, or `null`. */
export function unsignedError (source: Readonly<Source>, origin: string | undefined): GatehouseError | null {
  if (origin !== undefined && !allowsOrigin(source, origin)) return refusedOrigin(origin)
  const { requireSignature } = source
  const isRequired = requireSignature === 'always' || (requireSignature === 'without_origin' && origin === undefined)
  return isRequired ? new SIGNATURE_REQUIRED({ reason: `the source requires a signature: ${requireSignature}` }) : null
}
