import type { ComponentChildren } from 'preact'
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks'

import { Button, IconButton } from './button.tsx'
import { ErrorNotice } from './states.tsx'

interface DialogProps {
  title: string
  children: ComponentChildren
  /** Called by Escape, by the button and by a click outside. `undefined`: the dialog ends only by what is in it. */
  onClose?: (() => void) | undefined
}

/** A modal dialog: the browser keeps the focus in it and returns the focus afterwards. */
export function Dialog ({ title, children, onClose }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  // Before the next key press, which belongs to the dialog.
  useLayoutEffect(() => {
    const element = dialog.current
    element?.showModal()
    return () => element?.close()
  }, [])
  return (
    <dialog
      ref={dialog} class='dialog' aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault()
        onClose?.()
      }}
      onMouseDown={(event) => { if (event.target === dialog.current) onClose?.() }}
    >
      <div class='dialog-body'>
        <header>
          <h2 id={id}>{title}</h2>
          {onClose === undefined ? null : <IconButton icon='close' label='Close' onClick={onClose} />}
        </header>
        {children}
      </div>
    </dialog>
  )
}

interface ConfirmProps {
  title: string
  /** What will happen, in full sentences. */
  children: ComponentChildren
  /** The label of the button: the verb of what happens, such as "Delete the source". */
  action: string
  /** `primary` for an action that adds and destroys nothing. Default: `danger`. */
  kind?: 'danger' | 'primary'
  run: () => Promise<unknown>
  onClose: () => void
  /** Called when the action has succeeded. Default: `onClose`. */
  onDone?: () => void
}

/** Asks before an action that destroys, or that has wide effects. The dialog closes when the action has succeeded. */
export function Confirm ({ title, children, action, kind = 'danger', run, onClose, onDone = onClose }: ConfirmProps) {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<Error>()
  async function confirm () {
    setBusy(true)
    setError(undefined)
    try {
      await run()
      onDone()
    } catch (thrown) {
      setError(thrown as Error)
      setBusy(false)
    }
  }
  return (
    <Dialog title={title} onClose={busy ? undefined : onClose}>
      <div class='stack'>{children}</div>
      <ErrorNotice error={error} />
      <footer class='actions'>
        <Button onClick={onClose} autofocus>Cancel</Button>
        <Button kind={kind} busy={busy} onClick={() => { confirm().catch(setError) }}>{action}</Button>
      </footer>
    </Dialog>
  )
}
