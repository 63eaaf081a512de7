import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'

import { ApiError } from '../api/errors.ts'
import { Button } from './button.tsx'
import { Icon } from './icon.tsx'
import type { IconName } from './icon.tsx'

/** The place of data that is being loaded. */
export function Loading ({ lines = 3 }: { lines?: number }) {
  return (
    <div class='skeleton' role='status'>
      <span class='visually-hidden'>Loading…</span>
      {Array.from({ length: lines }, (_line, at) => <div key={at} class='bone' />)}
    </div>
  )
}

interface EmptyProps {
  icon?: IconName
  title: string
  children?: ComponentChildren
  /** What the user can do about it. */
  action?: ComponentChildren
}

/** Nothing is there: says why and what to do. */
export function Empty ({ icon = 'list', title, children, action }: EmptyProps) {
  return (
    <div class='empty'>
      <Icon name={icon} size={28} />
      <h2>{title}</h2>
      {children === undefined ? null : <p>{children}</p>}
      {action}
    </div>
  )
}

/** An error, with the id of the request, the time until another try is allowed, and a button that tries again. */
export function ErrorNotice ({ error, retry }: { error: Error | undefined, retry?: () => void }) {
  if (error === undefined) return null
  const { requestId = null, retryAfterSeconds = null } = error instanceof ApiError ? error : {}
  return (
    <div class='notice bad' role='alert'>
      <Icon name='alert' />
      <div>
        <p>{error.message}</p>
        {requestId === null ? null : <p class='hint'>Request <code>{requestId}</code></p>}
      </div>
      <Retry key={`${requestId} ${error.message}`} seconds={retryAfterSeconds ?? 0} retry={retry} />
    </div>
  )
}

function Retry ({ seconds, retry }: { seconds: number, retry: (() => void) | undefined }) {
  const [left, setLeft] = useState(Math.min(seconds, 3_600))
  useEffect(() => {
    if (left <= 0) return
    const timer = setTimeout(() => setLeft(left - 1), 1_000)
    return () => clearTimeout(timer)
  }, [left])
  // Screen readers read the error, and not each second.
  if (left > 0) return <span class='hint' aria-live='off'>Try again in {left} s</span>
  return retry === undefined ? null : <Button onClick={retry}>Try again</Button>
}

/** A remark that is no error. */
export function Notice ({ kind = 'info', children }: { kind?: 'info' | 'good' | 'warning' | 'bad', children: ComponentChildren }) {
  return (
    <div class={`notice ${kind}`}>
      <Icon name={kind === 'good' ? 'check' : 'alert'} />
      <div>{children}</div>
    </div>
  )
}
