import { useLocation } from 'preact-iso'

import { call } from '../../api/client.ts'
import { may } from '../../api/session.ts'
import { useForm } from '../../api/use-form.ts'
import { useQuery } from '../../api/use-query.ts'
import { at } from '../../shell/paths.ts'
import { Button, ButtonLink } from '../../ui/button.tsx'
import { SelectField, TextField } from '../../ui/field.tsx'
import { Page, Section, useTitleFocus } from '../../ui/layout.tsx'
import { ErrorNotice, Loading } from '../../ui/states.tsx'
import { Steps } from '../../ui/steps.tsx'
import { domainMistake, domainsOf } from './domain.ts'
import { DomainField } from './domain-field.tsx'
import { keepSecret } from './new-secret.ts'
import { NewSecret } from './secret-section.tsx'
import { SnippetPicker } from './snippet-picker.tsx'
import { Waiting } from './waiting.tsx'

const STEPS = ['Name', 'Domains', 'First event'] as const
const FORMS = [
  ['shop.example.com', 'This host by https. Not http, not other ports, not subdomains.'],
  ['*.example.com', 'All subdomains by https, at any depth. Not example.com itself.'],
  ['http://localhost:3000', 'Exactly this origin, for development.'],
  ['capacitor://localhost', 'An app with this origin.']
] as const

/** Creates a source in three steps. Step and entries are in the URL, so that back, forward and a reload keep them. */
export default function NewSourcePage () {
  const { query: { step, id } } = useLocation()
  const current = step === 'install' && id !== undefined ? 2 : step === 'domains' ? 1 : 0
  useTitleFocus(String(current))
  return (
    <Page title={`New source: ${STEPS[current].toLowerCase()}`} lead={<a href={at('sources')}>All sources</a>}>
      <Steps steps={STEPS} current={current} />
      {current === 0 ? <NameStep /> : current === 1 ? <DomainStep /> : <FirstEventStep id={id ?? ''} />}
    </Page>
  )
}

function NameStep () {
  const { path, query: { name, environment }, route } = useLocation()
  const form = useForm(async ({ name = '', environment = 'live' }) => {
    const entered = { name: name.trim(), ...environment === 'test' ? { environment } : {} }
    route(`${path}?${new URLSearchParams(entered)}`, true)
    route(`${path}?${new URLSearchParams({ ...entered, step: 'domains' })}`)
  }, ({ name = '' }) => ({ name: name.trim() === '' ? 'Enter a name.' : undefined }))
  return (
    <Section title='Name the source' lead='A source is one site, app or server that sends events.'>
      <form {...form.props} class='stack slim'>
        <TextField
          name='name' label='Name' required maxLength={200} form={form} defaultValue={name} placeholder='Shop'
          hint='Only administrators see it.'
        />
        {may('admin')
          ? (
            <SelectField
              name='environment' label='Environment' form={form} defaultValue={environment ?? 'live'}
              choices={[['live', 'Live'], ['test', 'Test']]}
              hint='Each event is marked with it, and the pipeline key starts with dk_live_ or dk_test_.'
            />
            )
          : null}
        <div class='actions'>
          <Button kind='primary' type='submit'>Continue</Button>
          <ButtonLink kind='ghost' href={at('sources')}>Cancel</ButtonLink>
        </div>
      </form>
    </Section>
  )
}

function DomainStep () {
  const { path, query: { name = '', environment }, route } = useLocation()
  const form = useForm(async ({ domains = '' }) => {
    const source = await call('post', 'sources', {
      body: {
        name,
        domains: domainsOf(domains),
        // Only an admin may send the field.
        ...environment === 'test' ? { environment } : {}
      }
    })
    keepSecret(source.id, source.server_secret)
    // In the place of this step, so that the back button does not create a second source.
    route(`${path}?${new URLSearchParams({ step: 'install', id: source.id })}`, true)
  }, ({ domains = '' }) => ({ domains: domainMistake(domains) }))
  const back = `${path}?${new URLSearchParams({ name, ...environment === undefined ? {} : { environment } })}`
  return (
    <Section title={`Where does “${name}” send from?`} lead='Pages of other sites are refused. Servers need no domain.'>
      <ErrorNotice error={form.error} />
      <form {...form.props} class='stack wide'>
        <DomainField
          form={form} hint='The sites whose pages may send, one a line. Leave it empty if only servers send.'
        />
        <details class='help'>
          <summary>What a domain allows</summary>
          <dl class='facts'>
            {FORMS.map(([written, meaning]) => (
              <div key={written}><dt><code>{written}</code></dt><dd>{meaning}</dd></div>
            ))}
          </dl>
        </details>
        <div class='actions'>
          <Button kind='primary' type='submit' busy={form.busy}>Create the source</Button>
          <ButtonLink kind='ghost' href={back}>Back</ButtonLink>
        </div>
      </form>
    </Section>
  )
}

function FirstEventStep ({ id }: { id: string }) {
  const { data, error, reload } = useQuery(id, (signal) => call('get', 'sources/{id}', { path: { id }, signal }))
  if (data === undefined) return error === undefined ? <Loading /> : <ErrorNotice error={error} retry={reload} />
  return (
    <>
      <NewSecret id={id} />
      <Section
        title={`Send the first event of “${data.name}”`}
        lead='The code has the pipeline key of the source and the address of this server. The key may be public.'
      >
        <SnippetPicker pipelineKey={data.pipeline_key}><Waiting source={data} onChange={reload} /></SnippetPicker>
      </Section>
      <div class='actions'>
        <ButtonLink kind='primary' href={at('sources/:id', { id })}>Go to the source</ButtonLink>
      </div>
    </>
  )
}
