import { useState } from 'preact/hooks'

import { call } from '../../api/client.ts'
import { may } from '../../api/session.ts'
import { useForm } from '../../api/use-form.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { TextArea, TextField } from '../../ui/field.tsx'
import { Facts, Section } from '../../ui/layout.tsx'
import { ErrorNotice } from '../../ui/states.tsx'
import { Time } from '../../ui/time.tsx'
import { toast } from '../../ui/toast.tsx'
import { MoreSettings } from './setting-fields.tsx'
import { certificatesOf, MORE_SETTINGS, settingsFrom, textOf } from './settings.ts'
import type { Setting } from './settings.ts'
import type { Kind, Provider } from './types.ts'

interface SectionProps {
  provider: Provider
  onChanged: () => void
}

/** The settings that each provider has. The first one says whose people they are, and never changes. */
const MAIN: Readonly<Record<Kind, ReadonlyArray<readonly [name: string, label: string]>>> = {
  oidc: [['issuer', 'Issuer'], ['client_id', 'Client ID']],
  saml: [['idp_entity_id', 'Entity ID (issuer)'], ['entry_point', 'Login URL'], ['certificates', 'Signing certificates']]
}

export function SettingsSection ({ provider, onChanged }: SectionProps) {
  const [editing, setEditing] = useState(false)
  const { kind, settings, created_at: created, updated_at: updated } = provider
  const main = MAIN[kind].map(([name, label]) => [label, shown(settings[name])] as const)
  const more = MORE_SETTINGS[kind].filter(({ name }) => settings[name] !== undefined).map((setting) =>
    [setting.label, shownSetting(setting, settings[setting.name])] as const)
  return (
    <Section
      title='Settings'
      actions={may('owner') ? <Button onClick={() => setEditing(true)}>Change the settings…</Button> : undefined}
    >
      <Facts items={[...main, ...more, ['Added', <Time at={created} />], ['Changed', <Time at={updated} />]]} />
      {editing ? <EditSettings {...{ provider, onChanged }} onClose={() => setEditing(false)} /> : null}
    </Section>
  )
}

function shown (value: unknown) {
  if (!Array.isArray(value)) return <code>{String(value)}</code>
  return value.length === 1 ? '1 certificate' : `${value.length} certificates`
}

function shownSetting ({ kind, choices = [] }: Setting, value: unknown) {
  if (kind === 'certificates') return shown(value)
  if (kind === 'flag') return value === true ? 'Yes' : 'No'
  return choices.find(([choice]) => choice === value)?.[1] ?? <code>{textOf(value)}</code>
}

function EditSettings ({ provider, onChanged, onClose }: SectionProps & { onClose: () => void }) {
  const { id, kind, name: former, settings } = provider
  const form = useForm(async (values, element) => {
    const { name = '' } = values
    const text = (setting: string) => (values[`settings/${setting}`] ?? '').trim()
    const metadata = text('metadata_xml')
    const main = kind === 'oidc'
      ? { client_id: text('client_id') }
      : metadata === ''
        ? { entry_point: text('entry_point'), certificates: certificatesOf(text('certificates')) }
        : { metadata_xml: metadata }
    await call('patch', 'identity-providers/{id}', {
      path: { id },
      body: { name, settings: { ...main, ...settingsFrom(values, MORE_SETTINGS[kind], element) } }
    })
    toast(`The settings of "${name}" are changed.`)
    onClose()
    onChanged()
  })
  const [issuer, issuerLabel] = MAIN[kind][0] ?? ['', '']
  return (
    <Dialog title={`Settings of ${former}`} onClose={onClose}>
      <ErrorNotice error={form.error} />
      <form {...form.props} class='stack'>
        <TextField name='name' label='Name' required maxLength={200} form={form} defaultValue={former} autofocus />
        <TextField
          name={`settings/${issuer}`} label={issuerLabel} form={form} readOnly value={textOf(settings[issuer])}
          hint='Cannot be changed: the people of another issuer are other people. Add another provider instead.'
        />
        {kind === 'oidc'
          ? (
            <TextField
              name='settings/client_id' label='Client ID' required maxLength={256} form={form} defaultValue={textOf(settings['client_id'])}
            />
            )
          : <SamlMain form={form} settings={settings} />}
        <MoreSettings form={form} kind={kind} stored={settings} />
        <footer class='actions'>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind='primary' type='submit' busy={form.busy}>Save</Button>
        </footer>
      </form>
    </Dialog>
  )
}

function SamlMain ({ form, settings }: { form: ReturnType<typeof useForm>, settings: Provider['settings'] }) {
  return (
    <>
      <TextField
        name='settings/entry_point' label='Login URL' type='url' required maxLength={2_000} form={form}
        defaultValue={textOf(settings['entry_point'])}
      />
      <TextArea
        name='settings/certificates' label='Signing certificates' class='code' rows={5} required spellcheck={false} form={form}
        defaultValue={textOf(settings['certificates'])}
        hint='All of them are accepted. Add the next one before the provider uses it, and remove the old one afterwards.'
      />
      <TextArea
        name='settings/metadata_xml' label='New metadata (XML)' class='code' rows={3} maxLength={200_000} spellcheck={false}
        form={form} hint='Replaces the login URL and the certificates. Empty: they stay as above.'
      />
    </>
  )
}
