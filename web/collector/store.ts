/**
 * The part of localStorage under one prefix. Values that localStorage refuses are kept in memory while the page is
 * open.
 */
export interface Store {
  get (name: string): string | null
  set (name: string, value: string): void
  remove (name: string): void
  /** The sorted names in localStorage that begin with `start`. */
  names (start: string): string[]
}

export function openStore (prefix: string): Store {
  const memory = new Map<string, string>()

  return {
    get (name) {
      return memory.get(name) ?? attempt((storage) => storage.getItem(prefix + name)) ?? null
    },
    set (name, value) {
      const stored = attempt((storage) => {
        storage.setItem(prefix + name, value)
        return true
      })
      if (stored === true) {
        memory.delete(name)
        return
      }
      // Removes the old value, so that the next page does not read a stale one.
      this.remove(name)
      memory.set(name, value)
    },
    remove (name) {
      memory.delete(name)
      attempt((storage) => storage.removeItem(prefix + name))
    },
    names (start) {
      const names = attempt((storage) => Object.keys(storage)) ?? []
      return names.filter((name) => name.startsWith(prefix + start)).map((name) => name.slice(prefix.length)).sort()
    }
  }
}

/** If storage is forbidden, even accessing `localStorage` throws. */
function attempt<T> (act: (storage: Storage) => T): T | undefined {
  try {
    return act(localStorage)
  } catch {
    return undefined
  }
}
