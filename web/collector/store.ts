/** The part of localStorage under one prefix. What it refuses (it is full, or forbidden) is kept in memory for as long as the page lives. */
export interface Store {
  get (name: string): string | null
  set (name: string, value: string): void
  remove (name: string): void
  /** The names in localStorage that begin so, in their order. */
  names (start: string): string[]
}

export function openStore (prefix: string): Store {
  const memory = new Map<string, string>()

  return {
    get (name) {
      return memory.get(name) ?? attempt((storage) => storage.getItem(prefix + name)) ?? null
    },
    set (name, value) {
      const kept = attempt((storage) => {
        storage.setItem(prefix + name, value)
        return true
      })
      if (kept === true) {
        memory.delete(name)
        return
      }
      // Rather nothing for the next page than what no longer holds.
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

/** Where storage is forbidden even naming it throws. */
function attempt<T> (act: (storage: Storage) => T): T | undefined {
  try {
    return act(localStorage)
  } catch {
    return undefined
  }
}
