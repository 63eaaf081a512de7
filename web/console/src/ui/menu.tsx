import type { ComponentChildren } from 'preact'
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks'

export interface MenuItem {
  label: ComponentChildren
  /** A link, or `run` for an action. */
  href?: string
  run?: () => void
  /** Marks the current one of several choices. */
  checked?: boolean
}

interface MenuProps {
  /** What the button shows. */
  children: ComponentChildren
  /** The name of the button, if it shows no words. */
  label?: string
  items: readonly MenuItem[]
  align?: 'start' | 'end'
}

const ITEM = '[role^=menuitem]'

/** A button with a menu. Arrow keys, Home, End and Escape work as in the menus of an operating system. */
export function Menu ({ children, label, items, align = 'start' }: MenuProps) {
  const [open, setOpen] = useState(false)
  const [root, button] = [useRef<HTMLDivElement>(null), useRef<HTMLButtonElement>(null)]
  const id = useId()

  useLayoutEffect(() => {
    if (!open) return
    root.current?.querySelector<HTMLElement>(ITEM)?.focus()
    const closeOutside = ({ target }: Event) => {
      if (!root.current?.contains(target as Node)) setOpen(false)
    }
    document.addEventListener('pointerdown', closeOutside)
    return () => document.removeEventListener('pointerdown', closeOutside)
  }, [open])

  function close () {
    setOpen(false)
    button.current?.focus()
  }

  function onKeyDown (event: KeyboardEvent) {
    const all = [...root.current?.querySelectorAll<HTMLElement>(ITEM) ?? []]
    const at = all.indexOf(document.activeElement as HTMLElement)
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key]
    if (event.key === 'Escape') close()
    else if (event.key === 'Tab') return setOpen(false)
    else if (to === undefined) return
    else all.at(to >= all.length ? 0 : to)?.focus()
    event.preventDefault()
    event.stopPropagation()
  }

  return (
    <div class='menu' ref={root}>
      <button
        ref={button} type='button' class='button ghost' aria-haspopup='menu' aria-expanded={open} aria-controls={open ? id : undefined}
        aria-label={label} onClick={() => setOpen(!open)}
      >
        {children}
      </button>
      {open
        ? (
          <div id={id} class={`menu-list ${align}`} role='menu' aria-label={label} onKeyDown={onKeyDown}>
            {items.map((item, at) => <Entry key={at} {...item} close={close} />)}
          </div>
          )
        : null}
    </div>
  )
}

function Entry ({ label, href, run, checked, close }: MenuItem & { close: () => void }) {
  if (href !== undefined) return <a role='menuitem' tabIndex={-1} href={href} onClick={close}>{label}</a>
  const act = () => {
    close()
    run?.()
  }
  return checked === undefined
    ? <button type='button' role='menuitem' tabIndex={-1} onClick={act}>{label}</button>
    : <button type='button' role='menuitemradio' aria-checked={checked} tabIndex={-1} onClick={act}>{label}</button>
}
