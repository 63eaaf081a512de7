import type { Store } from './store'
import { uuid } from './uuid'

export type Fields = Record<string, unknown>

/** Whom the events of this browser are about. */
export interface Identity {
  anonymousId?: string
  userId?: string
  groupId?: string
  traits?: Fields
}

export interface IdentityKeeper {
  /** Read anew each time: another tab may have logged in or out. */
  current (): Identity
  identify (userId: string | undefined, traits: Fields): Identity
  join (groupId: string): void
  /** Somebody else from now on. */
  reset (): void
}

const NAME = 'id'

/** Keeps it in storage; with `cookie` the server's cookie gives the `anonymousId`. */
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
      // What is known of one user says nothing about the next.
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

function parse (text: string | null): Identity | null {
  try {
    const value: unknown = JSON.parse(text ?? 'null')
    return typeof value === 'object' ? value as Identity | null : null
  } catch {
    return null
  }
}
