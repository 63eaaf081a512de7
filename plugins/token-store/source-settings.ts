import { isPipelineKey } from '../../signing/datafly/pipeline-key.js'
import { parseServerSecret, serverSecretWeakness } from '../../signing/datafly/server-secret.js'
import { INVALID_REQUEST } from '../../lib/errors.js'
import type { ResolvedSource, Source, SourceOrigins, SourcePatch, SourceSettings } from '../../contracts/token-store/index.js'

/** What a new source is where nothing else is said: live, for servers alone, its signatures optional. */
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
  signedRepeats: 'keep'
}

/** How much of a server secret is shown afterwards; never more than a quarter of it. */
const PREFIX_LENGTH = 6

/** Throws `INVALID_REQUEST` for a key that the pipelineKey guard would not accept. */
export function assertKey (pipelineKey: string): void {
  if (!isPipelineKey(pipelineKey)) {
    throw new INVALID_REQUEST({ message: 'A pipeline key is dk_live_ or dk_test_ and 6 to 128 letters, digits, "_" or "-"' })
  }
}

/** The key bytes of a server secret; throws `INVALID_REQUEST` for a string that spells none or, unless `allowWeakSecret`, is easy to guess. */
export function serverSecretBytes ({ serverSecret, allowWeakSecret = false }: { serverSecret: string, allowWeakSecret?: boolean | undefined }): Buffer {
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

export function serverSecretPrefix (text: string): string {
  return text.slice(0, Math.min(PREFIX_LENGTH, Math.floor(text.length / 4)))
}

/** The settings of a source alone, each list a copy of its own; what else the object carries is left behind. */
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
    signedRepeats: source.signedRepeats
  }
}

/** The settings with a patch over them; a member that is `undefined` leaves what is there. */
export function patched (source: SourceSettings, patch: SourcePatch): SourceSettings {
  const given = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined)) as Partial<SourceSettings>
  return settingsOf({ ...settingsOf(source), ...given })
}

export function copySource (source: Source): Source {
  return { ...source, domains: [...source.domains], pixelTypes: [...source.pixelTypes] }
}

/** Deeply frozen, as it is shared by all requests with that key. */
export function freezeResolved (source: Source, key: string, keyExpiresAt: number | null, secrets: ResolvedSource['secrets']): ResolvedSource {
  const own = copySource(source)
  Object.freeze(own.domains)
  Object.freeze(own.pixelTypes)
  return Object.freeze({ source: Object.freeze(own), key, keyExpiresAt, secrets: Object.freeze(secrets.map((secret) => Object.freeze({ ...secret }))) })
}

/** The origins of one source, as `Sources.origins` hands them out. */
export function freezeOrigins ({ domains, allowAnyOrigin, allowNullOrigin }: SourceOrigins): SourceOrigins {
  return Object.freeze({ domains: Object.freeze([...domains]), allowAnyOrigin, allowNullOrigin })
}

/** When what was resolved changes by itself: the key's overlap or a secret's ends. `Infinity` if it does not. */
export function resolvedUntil ({ keyExpiresAt, secrets }: ResolvedSource): number {
  return secrets.reduce((until, { expiresAt }) => Math.min(until, expiresAt ?? Infinity), keyExpiresAt ?? Infinity)
}
