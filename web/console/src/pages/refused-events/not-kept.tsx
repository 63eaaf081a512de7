import { useState } from 'preact/hooks'

import { call } from '../../api/client.ts'
import { may } from '../../api/session.ts'
import type { Source } from '../../api/use-sources.ts'
import { Button } from '../../ui/button.tsx'
import { Confirm } from '../../ui/dialog.tsx'
import { Section } from '../../ui/layout.tsx'
import { toast } from '../../ui/toast.tsx'

interface NotKeptProps {
  sources: readonly Source[]
  /** Called when a source keeps them from now on. */
  onChange: () => void
}

/** The sources that keep no refused events, and a way to change that. */
export function NotKept ({ sources, onChange }: NotKeptProps) {
  const [asked, ask] = useState<Source>()
  if (sources.length === 0) return null
  return (
    <Section
      title={`${sources.length === 1 ? '1 source does' : `${sources.length} sources do`} not keep refused events`}
      lead='Their refused events are only counted: they cannot be read or replayed.'
    >
      <ul class='rows'>
        {sources.map((source) => (
          <li key={source.id} class='line'>
            <span>{source.name}</span>
            {may('editor')
              ? (
                <Button onClick={() => ask(source)} aria-label={`Keep refused events of ${source.name}…`}>
                  Keep refused events…
                </Button>
                )
              : null}
          </li>
        ))}
      </ul>
      {may('editor') ? null : <p class='hint'>An editor can switch it on.</p>}
      {asked === undefined
        ? null
        : <Question source={asked} onClose={() => ask(undefined)} onDone={() => { ask(undefined); onChange() }} />}
    </Section>
  )
}

interface QuestionProps {
  source: Source
  onClose: () => void
  onDone: () => void
}

function Question ({ source: { id, name }, onClose, onDone }: QuestionProps) {
  async function keep () {
    await call('patch', 'sources/{id}', { path: { id }, body: { keep_refused: true } })
    toast(`"${name}" keeps its refused events.`)
  }
  return (
    <Confirm
      title={`Keep refused events of "${name}"?`} action='Keep refused events' kind='primary' run={keep}
      onClose={onClose} onDone={onDone}
    >
      <p>
        From now on the server stores what this source refuses: the body, the origin, the address and the user agent.
        These are personal data, as stored events are.
      </p>
      <p>They are deleted after 7 days, unless your server sets another time. Senders get the same responses.</p>
    </Confirm>
  )
}
