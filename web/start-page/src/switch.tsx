import type { ComponentChildren } from 'preact'

interface SwitchProps {
  on: boolean
  busy?: boolean
  onChange: (on: boolean) => void
  children: ComponentChildren
}

/** A switch that performs an attack while it is on. */
export function Switch ({ on, busy = false, onChange, children }: SwitchProps) {
  return (
    <button
      type='button' role='switch' class='switch' aria-checked={on} aria-disabled={busy || undefined}
      onClick={() => { if (!busy) onChange(!on) }}
    >
      <span class='track' aria-hidden='true' />
      {children}
    </button>
  )
}
