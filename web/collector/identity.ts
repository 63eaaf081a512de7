import type { Store } from './store'
import { uuid } from './uuid'

export type Fields = Record<string, unknown>

/** The visitor of this browser. */
export interface Identity {
  anonymousId?: string
  userId?: string
  groupId?: string
  traits?: Fields
}

export interface IdentityKeeper {
  /** Reads storage each time, because another tab may have logged in or out. */
  current (): Identity
  identify (userId: string | undefined, traits: Fields): Identity
  join (groupId: string): void
  /** Forgets the visitor. */
  reset (): void
}

const NAME = 'id'

/** Stores the identity. With `cookie`, the `anonymousId` comes from the server's cookie. */
export function keepIdentity (store: Store, cookie: boolean): IdentityKeeper {
  function current (): Identity {
    const known = parse(store.get(NAME))
    return known !== null && (cookie || typeof known.anonymousId === 'string') ? known : save({ ...known })
  }

  function save (identity: Identity): Identity {
    const whole = cookie ? identity : { ...identity, anonymousId: identity.anonymousId ?? uuid() }
    store.set(NAME, JSON.stringify(whole))
    return whole
  }

  return {
    current,
    identify (userId, traits) {
      const known = current()
      const other = userId !== undefined && known.userId !== undefined && userId !== known.userId
      // Traits and group of the previous user do not apply to another user.
      const { groupId, traits: before, ...ids } = known
      return save({
        ...ids,
        ...(userId === undefined ? {} : { userId }),
        ...(other || groupId === undefined ? {} : { groupId }),
        traits: { ...(other ? {} : before), ...traits }
      })
    },
    join (groupId) { save({ ...current(), groupId }) },
    reset () { save({}) }
  }
}

function parse (json: string | null): Identity | null {
  try {
    const value: unknown = JSON.parse(json ?? 'null')
    return typeof value === 'object' ? value as Identity | null : null
  } catch {
    return null
  }
}
