import { useState } from 'preact/hooks'

import { may } from '../../api/session.ts'
import { useForm } from '../../api/use-form.ts'
import { Button } from '../../ui/button.tsx'
import { CheckField } from '../../ui/field.tsx'
import { Section } from '../../ui/layout.tsx'
import { ErrorNotice, Notice } from '../../ui/states.tsx'
import { domainMistake, domainsOf, readDomains } from './domain.ts'
import { DomainField } from './domain-field.tsx'
import type { TabProps } from './source.tsx'
import { usePatch } from './use-patch.ts'

/** The pages that may send to a source. */
export function DomainsTab (props: TabProps) {
  return may('editor') ? <DomainForm {...props} /> : <DomainList {...props} />
}

function DomainForm (props: TabProps) {
  const { source: { domains, allow_any_origin: anyOrigin, allow_null_origin: nullOrigin } } = props
  const [open, setOpen] = useState({ any: anyOrigin, null: nullOrigin })
  const save = usePatch(props)
  const form = useForm(async ({ domains: text = '' }) => {
    await save({
      domains: domainsOf(text),
      ...may('admin') ? { allow_any_origin: open.any, allow_null_origin: open.null } : {}
    })
  }, ({ domains: text = '' }) => ({ domains: domainMistake(text) }))
  return (
    <Section
      title='Domains' lead='The origin of a page must be among them. Servers and apps without an origin need no domain.'
    >
      <ErrorNotice error={form.error} />
      <form {...form.props} class='stack wide'>
        <DomainField form={form} domains={domains} hint='One a line. Empty: no page may send.' />
        {may('admin')
          ? (
            <>
              <CheckField
                name='allow_any_origin' label='Accept any origin' form={form} checked={open.any}
                hint='Pages of every site may send. The domains above do not matter then.'
                onChange={({ currentTarget }) => setOpen({ ...open, any: currentTarget.checked })}
              />
              {open.any
                ? <Notice kind='warning'>Anyone who knows the pipeline key can send from any page, and it is in your pages.</Notice>
                : null}
              <CheckField
                name='allow_null_origin' label='Accept the origin “null”' form={form} checked={open.null}
                hint='For sandboxed frames, such as custom pixels of a shop.'
                onChange={({ currentTarget }) => setOpen({ ...open, null: currentTarget.checked })}
              />
              {open.null
                ? <Notice kind='warning'>Every sandboxed frame of every site has this origin, not only your own.</Notice>
                : null}
            </>
            )
          : <Openness {...props} />}
        <div class='actions'><Button kind='primary' type='submit' busy={form.busy}>Save</Button></div>
      </form>
    </Section>
  )
}

function DomainList (props: TabProps) {
  const { source: { domains } } = props
  return (
    <Section title='Domains' lead='The origin of a page must be among them. Servers and apps without an origin need no domain.'>
      {domains.length === 0
        ? <p class='soft'>None: only servers send.</p>
        : (
          <ul class='checks'>
            {readDomains(domains.join('\n')).map(({ text, meaning }) => <li key={text}><span><code>{text}</code> {meaning}</span></li>)}
          </ul>
          )}
      <Openness {...props} />
    </Section>
  )
}

function Openness ({ source: { allow_any_origin: anyOrigin, allow_null_origin: nullOrigin } }: TabProps) {
  return (
    <>
      {anyOrigin ? <Notice kind='warning'>The source accepts any origin: pages of every site may send.</Notice> : null}
      {nullOrigin ? <Notice kind='warning'>The source accepts the origin “null” of sandboxed frames.</Notice> : null}
    </>
  )
}
