import { CONFLICT } from '../../lib/errors.js'
import { randomBase62 } from '../../signing/base62.js'
import type { NewSourceKey, Source, SourceKey, SourceKeyPatch } from '../../contracts/token-store/index.js'

/** Creates the id of a pipeline key: `pk_` and 24 random base62 characters. */
export function newSourceKeyId (): string {
  return `pk_${randomBase62(24)}`
}

/** Throws `CONFLICT` if the keys of a source leave no room for a new one, or one of them has its name. */
export function assertRoomForKey (keys: readonly SourceKey[], { name, quota }: NewSourceKey): void {
  assertFreeName(keys, name)
  if (quota === undefined || keys.filter((key) => key.name !== null).length < quota) return
  throw new CONFLICT({ message: `The source may have no more named keys (at most ${quota})` })
}

/** Throws `CONFLICT` if another key of the source has the name. */
export function assertFreeName (keys: readonly SourceKey[], name: string, id?: string): void {
  if (keys.every((key) => key.name !== name || key.id === id)) return
  throw new CONFLICT({ message: 'Another key of the source has this name' })
}

/** Throws `CONFLICT` for the key without a name. */
export function assertNamed (key: SourceKey): asserts key is SourceKey & { name: string } {
  if (key.name !== null) return
  throw new CONFLICT({ message: "This is the source's own key; change the source, or rotate the key" })
}

/** Throws `CONFLICT` for an expired key. */
export function assertNotExpired ({ expiresAt }: SourceKey, now: number): void {
  if (expiresAt !== null && expiresAt <= now) throw new CONFLICT({ message: 'The key has expired' })
}

/** Returns a key with a patch applied; an `undefined` member changes nothing. */
export function patchedKey (key: SourceKey, patch: SourceKeyPatch): SourceKey {
  const { name = key.name, enabled = key.enabled, domains = key.domains, expiresAt = key.expiresAt } = patch
  return { ...key, name, enabled, domains, expiresAt }
}

/** Sorts keys as they are listed: the key without a name first, then the newest first. */
export function sortKeys (keys: SourceKey[]): SourceKey[] {
  return keys.sort((one, other) =>
    Number(one.name !== null) - Number(other.name !== null) ||
    (other.createdAt ?? 0) - (one.createdAt ?? 0) ||
    (one.id < other.id ? -1 : 1)
  )
}

/** Returns the earlier of two times; `null` stands for never. */
export function earlier (one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other
  return Math.min(one, other)
}

/** Returns the source that requests with a key have: with the domains of the key, if it has its own. */
export function withKeyDomains (source: Source, domains: string[] | null): Source {
  return domains === null ? source : { ...source, ...originsOfKey(domains) }
}

/** Returns the origins of a key with its own domains. */
export function originsOfKey (domains: string[]) {
  return { domains, allowAnyOrigin: false, allowNullOrigin: false }
}
