import { useState } from 'preact/hooks'

import { useLocation } from 'preact-iso'

import { call } from '../../api/client.ts'
import { may } from '../../api/session.ts'
import { useForm } from '../../api/use-form.ts'
import { at } from '../../shell/paths.ts'
import { Button } from '../../ui/button.tsx'
import { Confirm } from '../../ui/dialog.tsx'
import { TextField } from '../../ui/field.tsx'
import { Facts, Section } from '../../ui/layout.tsx'
import { ErrorNotice } from '../../ui/states.tsx'
import { Time } from '../../ui/time.tsx'
import { toast } from '../../ui/toast.tsx'
import { Acceptance } from './acceptance.tsx'
import { Limits } from './limits.tsx'
import type { TabProps } from './source.tsx'
import { State } from './state.tsx'
import { usePatch } from './use-patch.ts'

/** What a source accepts, how much of it, and its end. */
export function SettingsTab (props: TabProps) {
  return (
    <>
      <General {...props} />
      <Limits {...props} />
      <Acceptance {...props} />
      {may('admin') ? <Environment {...props} /> : null}
      {may('admin') ? <Removal {...props} /> : null}
    </>
  )
}

function General (props: TabProps) {
  const { source } = props
  const { name, created_at: created, updated_at: updated } = source
  const [asking, setAsking] = useState(false)
  const save = usePatch(props)
  const form = useForm(async ({ name: entered = '' }) => await save({ name: entered.trim() }))
  const enable = () => { save({ enabled: true }).catch((error: Error) => toast(error.message)) }
  const facts = <Facts items={[['Created', <Time at={created} />], ['Changed', <Time at={updated} />]]} />
  if (!may('editor')) {
    return (
      <Section title='General'>
        <Facts items={[['Name', name], ['State', <State source={source} />]]} />
        {facts}
      </Section>
    )
  }
  return (
    <Section
      title='General' lead='A disabled source refuses its keys with 401. Nothing is lost by it but what is sent meanwhile.'
      actions={source.enabled
        ? <Button kind='danger' onClick={() => setAsking(true)}>Disable…</Button>
        : <Button onClick={enable}>Enable</Button>}
    >
      <ErrorNotice error={form.error} />
      <form {...form.props} class='stack slim'>
        <TextField name='name' label='Name' required maxLength={200} form={form} defaultValue={name} />
        <div class='actions'><Button kind='primary' type='submit' busy={form.busy}>Save</Button></div>
      </form>
      {facts}
      {asking
        ? (
          <Confirm
            title={`Disable "${name}"?`} action='Disable the source' run={() => save({ enabled: false })}
            onClose={() => setAsking(false)}
          >
            <p>
              All keys and webhooks of the source are refused with 401 at once. Events that are sent meanwhile are lost.
            </p>
            <p>You can enable it again.</p>
          </Confirm>
          )
        : null}
    </Section>
  )
}

function Environment (props: TabProps) {
  const { source: { environment, name } } = props
  const [asking, setAsking] = useState(false)
  const save = usePatch(props)
  const other = environment === 'live' ? 'test' : 'live'
  return (
    <Section
      title='Environment'
      lead={`The source is ${environment}: its events are marked with it, and its keys start with dk_${environment}_.`}
      actions={<Button kind='danger' onClick={() => setAsking(true)}>Change to {other}…</Button>}
    >
      {asking
        ? (
          <Confirm
            title={`Change "${name}" to ${other}?`} action={`Change to ${other}`} run={() => save({ environment: other })}
            onClose={() => setAsking(false)}
          >
            <p>
              The source gets a new pipeline key that starts with dk_{other}_. The present key stops working at once.
            </p>
            <p>All named keys are deleted. Pages and servers that use one of these keys are refused with 401.</p>
          </Confirm>
          )
        : null}
    </Section>
  )
}

function Removal ({ source: { id, name } }: TabProps) {
  const { route } = useLocation()
  const [asking, setAsking] = useState(false)
  async function remove () {
    await call('delete', 'sources/{id}', { path: { id } })
    toast(`The source "${name}" is deleted.`)
    route(at('sources'))
  }
  return (
    <Section
      title='Delete the source' lead='Its keys stop working at once. Stored events stay.'
      actions={<Button kind='danger' onClick={() => setAsking(true)}>Delete…</Button>}
    >
      {asking
        ? (
          <Confirm title={`Delete "${name}"?`} action='Delete the source' run={remove} onClose={() => setAsking(false)}>
            <p>
              The pipeline keys, the server secret and the webhooks of the source stop working at once. Pages and
              servers that use them are refused with 401.
            </p>
            <p>Events that are stored stay. The source cannot be restored.</p>
          </Confirm>
          )
        : null}
    </Section>
  )
}
