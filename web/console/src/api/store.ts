import { useEffect, useState } from 'preact/hooks'

/** A value that components read with `useStore` and that notifies them of changes. */
export interface Store<Value> {
  get (): Value
  set (value: Value): void
  subscribe (listener: () => void): () => void
}

export function createStore<Value> (initial: Value): Store<Value> {
  let current = initial
  const listeners = new Set<() => void>()
  return {
    get: () => current,
    set (value) {
      if (Object.is(value, current)) return
      current = value
      for (const listener of [...listeners]) listener()
    },
    subscribe (listener) {
      listeners.add(listener)
      return () => { listeners.delete(listener) }
    }
  }
}

/** Returns the value of a store and renders again when it changes. */
export function useStore<Value> (store: Store<Value>): Value {
  const [value, setValue] = useState(() => store.get())
  useEffect(() => {
    const update = () => setValue(() => store.get())
    update()
    return store.subscribe(update)
  }, [store])
  return value
}
