import { isPipelineKey } from '../../signing/datafly/pipeline-key.js'
import { parseServerSecret, serverSecretWeakness } from '../../signing/datafly/server-secret.js'
import { INVALID_REQUEST } from '../../lib/errors.js'
import type {
  ResolvedSource, Source, SourceOrigins, SourcePatch,
  SourceSettings
} from '../../contracts/token-store/index.js'

/** Default settings of a new source: live, for server events only, signatures optional. */
export const SOURCE_DEFAULTS: Omit<SourceSettings, 'name'> = {
  environment: 'live',
  domains: [],
  allowAnyOrigin: false,
  allowNullOrigin: false,
  requireSignature: 'never',
  requireTimestamp: false,
  enabled: true,
  rateLimit: null,
  pixelTypes: ['track', 'page'],
  bots: 'tag',
  signedRepeats: 'keep',
  keepRefused: false,
  dailyQuota: null,
  monthlyQuota: null
}

/** Characters of a server secret that stay visible; never more than a quarter of it. */
const PREFIX_LENGTH = 6

/** Throws `INVALID_REQUEST` for a key that the `pipelineKey` guard would refuse. */
export function assertKey (pipelineKey: string): void {
  if (!isPipelineKey(pipelineKey)) {
    throw new INVALID_REQUEST({
      message: 'A pipeline key must be dk_live_ or dk_test_ and 6 to 128 letters, digits, "_" or "-"'
    })
  }
}

/** Returns the bytes of a server secret. Throws `INVALID_REQUEST` if it is invalid or, by default, easy to guess. */
export function serverSecretBytes (
  { serverSecret, allowWeakSecret = false }: { serverSecret: string, allowWeakSecret?: boolean | undefined }
): Buffer {
  let weakness: string | null
  let bytes: Buffer
  try {
    bytes = parseServerSecret(serverSecret)
    weakness = allowWeakSecret ? null : serverSecretWeakness(serverSecret)
  } catch (cause) {
    throw new INVALID_REQUEST({ message: 'The server secret is empty or badly encoded', cause })
  }
  if (weakness !== null) throw new INVALID_REQUEST({ message: `The server secret ${weakness}` })
  return bytes
}

export function serverSecretPrefix (secret: string): string {
  return secret.slice(0, Math.min(PREFIX_LENGTH, Math.floor(secret.length / 4)))
}

/** Returns a copy of a source's settings, without its other properties. */
export function settingsOf (source: SourceSettings): SourceSettings {
  return {
    name: source.name,
    environment: source.environment,
    domains: [...source.domains],
    allowAnyOrigin: source.allowAnyOrigin,
    allowNullOrigin: source.allowNullOrigin,
    requireSignature: source.requireSignature,
    requireTimestamp: source.requireTimestamp,
    enabled: source.enabled,
    rateLimit: source.rateLimit,
    pixelTypes: [...source.pixelTypes],
    bots: source.bots,
    signedRepeats: source.signedRepeats,
    keepRefused: source.keepRefused,
    dailyQuota: source.dailyQuota,
    monthlyQuota: source.monthlyQuota
  }
}

/** Returns the settings with a patch applied; an `undefined` property changes nothing. */
export function patched (source: SourceSettings, patch: SourcePatch): SourceSettings {
  const given = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined)) as Partial<
    SourceSettings
  >
  return settingsOf({ ...settingsOf(source), ...given })
}

export function copySource (source: Source): Source {
  return { ...source, domains: [...source.domains], pixelTypes: [...source.pixelTypes] }
}

/** Creates the resolved source, deeply frozen, as all requests with that key share it. */
export function freezeResolved (
  source: Source,
  { key, keyId, keyExpiresAt }: Pick<ResolvedSource, 'key' | 'keyId' | 'keyExpiresAt'>,
  secrets: ResolvedSource['secrets']
): ResolvedSource {
  const own = copySource(source)
  Object.freeze(own.domains)
  Object.freeze(own.pixelTypes)
  return Object.freeze({
    source: Object.freeze(own),
    key,
    keyId,
    keyExpiresAt,
    secrets: Object.freeze(secrets.map((secret) => Object.freeze({ ...secret })))
  })
}

/** Creates the origins of one source for `Sources.origins`. */
export function freezeOrigins ({ domains, allowAnyOrigin, allowNullOrigin }: SourceOrigins): SourceOrigins {
  return Object.freeze({ domains: Object.freeze([...domains]), allowAnyOrigin, allowNullOrigin })
}

/** Returns when the key or a secret expires, epoch milliseconds; `Infinity` if none does. */
export function resolvedUntil ({ keyExpiresAt, secrets }: ResolvedSource): number {
  return secrets.reduce((until, { expiresAt }) => Math.min(until, expiresAt ?? Infinity), keyExpiresAt ?? Infinity)
}
