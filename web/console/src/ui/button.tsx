import type { ButtonHTMLAttributes, ComponentChildren } from 'preact'

import { Icon } from './icon.tsx'
import type { IconName } from './icon.tsx'

type Kind = 'primary' | 'secondary' | 'ghost' | 'danger'

export interface ButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'icon'> {
  /** Default: `secondary`. A view has at most one `primary` button. */
  kind?: Kind
  /** Whether its action runs: the button keeps the focus, and does nothing. */
  busy?: boolean
  icon?: IconName
  children?: ComponentChildren
}

export function Button ({ kind = 'secondary', busy = false, icon, type = 'button', children, ...rest }: ButtonProps) {
  return (
    <button
      {...rest} type={type} class={`button ${kind}`} aria-disabled={busy || undefined} data-busy={busy || undefined}
      {...busy ? { onClick: (event: Event) => event.preventDefault() } : {}}
    >
      {icon === undefined ? null : <Icon name={icon} />}
      {children === undefined ? null : <span>{children}</span>}
    </button>
  )
}

/** A button with a picture alone; `label` names it. */
export function IconButton ({ icon, label, ...rest }: { icon: IconName, label: string } & Omit<ButtonProps, 'icon'>) {
  const { kind = 'ghost', busy: _busy, children: _children, ...attributes } = rest
  return (
    <button type='button' {...attributes} class={`button icon-only ${kind}`} aria-label={label} title={label}>
      <Icon name={icon} />
    </button>
  )
}

/** A link that looks like a button: it leads to another page. */
export function ButtonLink (
  { href, kind = 'secondary', icon, children }: { href: string, kind?: Kind, icon?: IconName, children: ComponentChildren }
) {
  return (
    <a class={`button ${kind}`} href={href}>
      {icon === undefined ? null : <Icon name={icon} />}
      <span>{children}</span>
    </a>
  )
}
