import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks'

import { useLocation } from 'preact-iso'

import { may, signOut } from '../api/session.ts'
import { PAGES } from '../pages/index.ts'
import { toast } from '../ui/toast.tsx'
import { at } from './paths.ts'
import { chooseTheme } from './theme.ts'

interface Command {
  title: string
  run: () => void
}

/** The command palette: type a part of a name, choose with the arrow keys, run with Enter. */
export function Palette ({ onClose }: { onClose: () => void }) {
  const { route } = useLocation()
  const [text, setText] = useState('')
  const [chosen, choose] = useState(0)
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  // Before the next key press, which belongs to the dialog.
  useLayoutEffect(() => {
    const element = dialog.current
    element?.showModal()
    return () => element?.close()
  }, [])

  const found = commandsOf(route).filter(({ title }) => matches(title, text))
  const current = Math.min(chosen, found.length - 1)

  function run (command: Command | undefined) {
    if (command === undefined) return
    onClose()
    command.run()
  }

  function onKeyDown (event: KeyboardEvent) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step !== undefined && found.length > 0) choose((current + step + found.length) % found.length)
    else if (event.key === 'Enter') run(found[current])
    else return
    event.preventDefault()
  }

  return (
    <dialog
      ref={dialog} class='dialog palette' aria-label='Commands' onCancel={onClose}
      onMouseDown={(event) => { if (event.target === dialog.current) onClose() }}
    >
      <input
        type='text' role='combobox' aria-expanded='true' aria-controls={id} aria-autocomplete='list' aria-label='Find a page or a command'
        aria-activedescendant={current < 0 ? undefined : `${id}-${current}`} placeholder='Find a page or a command' autofocus
        value={text} onKeyDown={onKeyDown} onInput={({ currentTarget }) => { setText(currentTarget.value); choose(0) }}
      />
      <ul id={id} role='listbox' aria-label='Commands'>
        {found.map((command, index) => (
          <li
            key={command.title} id={`${id}-${index}`} role='option' aria-selected={index === current}
            onMouseMove={() => choose(index)} onClick={() => run(command)}
          >
            {command.title}
          </li>
        ))}
      </ul>
      {found.length === 0 ? <p class='soft' role='status'>Nothing has this name.</p> : null}
    </dialog>
  )
}

function commandsOf (route: (url: string) => void): Command[] {
  const pages = PAGES.filter(({ group, role }) => group !== undefined && may(role))
  const actions = pages.flatMap(({ path, commands = [] }) => commands.filter(({ role }) => may(role)).map(
    ({ title, search }) => ({ title, run: () => route(`${at(path)}?${new URLSearchParams(search).toString()}`) })
  ))
  return [
    ...pages.map(({ title, path }) => ({ title, run: () => route(at(path)) })),
    ...actions,
    { title: 'Use the light theme', run: () => chooseTheme('light') },
    { title: 'Use the dark theme', run: () => chooseTheme('dark') },
    { title: 'Use the theme of the system', run: () => chooseTheme('system') },
    { title: 'Sign out', run: () => { signOut().catch((error: Error) => toast(error.message)) } }
  ]
}

/** Whether all words of the input start a word of the title. */
function matches (title: string, text: string): boolean {
  const words = title.toLowerCase().split(' ')
  return text.toLowerCase().trim().split(/\s+/).every((part) => words.some((word) => word.startsWith(part)))
}
