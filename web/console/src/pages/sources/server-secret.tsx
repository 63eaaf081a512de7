import { useState } from 'preact/hooks'

import { call } from '../../api/client.ts'
import { may } from '../../api/session.ts'
import { Button } from '../../ui/button.tsx'
import { SecretOnce } from '../../ui/copy.tsx'
import { Countdown } from '../../ui/countdown.tsx'
import { Facts, Section } from '../../ui/layout.tsx'
import { dropSecret, keepSecret, oldSecretEnd, secretOf, setOldSecretEnd } from './new-secret.ts'
import { Rotation } from './rotation.tsx'
import type { Source } from './state.tsx'

const SIGNATURES = {
  never: 'Signatures are optional',
  without_origin: 'Requests without an origin must be signed',
  always: 'Every request must be signed'
} as const

/** The server secret of a source: its start, and its rotation. */
export function ServerSecret ({ source, onChange }: { source: Source, onChange: () => void }) {
  const { id } = source
  const [rotating, setRotating] = useState(false)
  const [secret, setSecret] = useState(secretOf(id))
  const [oldEnds, setOldEnds] = useState(oldSecretEnd(id))

  async function rotate (overlap: number) {
    const rotated = await call('post', 'sources/{id}/rotate-secret', { path: { id }, body: { overlap_seconds: overlap } })
    keepSecret(id, rotated.server_secret)
    setSecret(rotated.server_secret)
    const ends = overlap === 0 ? undefined : new Date(Date.now() + overlap * 1_000).toISOString()
    setOldSecretEnd(id, ends)
    setOldEnds(ends)
    onChange()
  }

  function done () {
    dropSecret(id)
    setSecret(undefined)
  }

  return (
    <Section
      title='Server secret' lead='Your servers sign requests with it. A browser never needs it.'
      actions={may('admin') ? <Button onClick={() => setRotating(true)}>Rotate…</Button> : undefined}
    >
      {secret === undefined ? null : <SecretOnce values={[secret]} what='server secret' onDone={done} />}
      <Facts
        items={[
          ['Starts with', <code>{source.server_secret_prefix}…</code>],
          ...oldEnds === undefined
            ? []
            : [['Old secret', <>works for <Countdown to={oldEnds} onEnd={() => setOldEnds(undefined)} /></>] as const],
          ['Signatures', SIGNATURES[source.require_signature]]
        ]}
      />
      {rotating
        ? (
          <Rotation
            title='Rotate the server secret' what='server secret' rotate={rotate} onClose={() => setRotating(false)}
            consequence='After that, requests that are signed with it are refused with 401.'
          />
          )
        : null}
    </Section>
  )
}
