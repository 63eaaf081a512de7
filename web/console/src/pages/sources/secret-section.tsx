import { useState } from 'preact/hooks'

import { SecretOnce } from '../../ui/copy.tsx'
import { Section } from '../../ui/layout.tsx'
import { dropSecret, secretOf } from './new-secret.ts'

/** The server secret of a source that was just created, until the user has kept it. */
export function NewSecret ({ id }: { id: string }) {
  const [secret, setSecret] = useState(secretOf(id))
  if (secret === undefined) return null
  const done = () => {
    dropSecret(id)
    setSecret(undefined)
  }
  return (
    <Section title='Server secret' lead='Your servers sign requests with it. A browser never needs it.'>
      <SecretOnce values={[secret]} what='server secret' onDone={done} />
    </Section>
  )
}
