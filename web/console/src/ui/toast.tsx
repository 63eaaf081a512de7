import { createStore, useStore } from '../api/store.ts'
import { IconButton } from './button.tsx'

interface Toast {
  id: number
  text: string
}

const SHOWN_MS = 6_000
const toasts = createStore<readonly Toast[]>([])
let last = 0

/** Says for some seconds that something was done. Errors belong where they happened, in an `ErrorNotice`. */
export function toast (text: string): void {
  const id = ++last
  toasts.set([...toasts.get().slice(-2), { id, text }])
  setTimeout(() => dismiss(id), SHOWN_MS)
}

function dismiss (id: number): void {
  toasts.set(toasts.get().filter((shown) => shown.id !== id))
}

export function Toasts () {
  return (
    <div class='toasts' role='status' aria-live='polite'>
      {useStore(toasts).map(({ id, text }) => (
        <div key={id} class='toast'>
          <span>{text}</span>
          <IconButton icon='close' label='Dismiss' onClick={() => dismiss(id)} />
        </div>
      ))}
    </div>
  )
}
