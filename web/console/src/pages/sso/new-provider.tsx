import { useState } from 'preact/hooks'

import { useLocation } from 'preact-iso'

import { call } from '../../api/client.ts'
import { useForm } from '../../api/use-form.ts'
import type { Form } from '../../api/use-form.ts'
import { GuideLink } from '../../shell/guide.tsx'
import { at } from '../../shell/paths.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { PasswordField, SelectField, TextArea, TextField } from '../../ui/field.tsx'
import { ErrorNotice } from '../../ui/states.tsx'
import { toast } from '../../ui/toast.tsx'
import { OTHER, PRODUCTS } from './products.ts'
import type { Product } from './products.ts'
import { MoreSettings, SettingField } from './setting-fields.tsx'
import { certificatesOf, MORE_SETTINGS, settingsFrom, withoutDefaults } from './settings.ts'
import { PROTOCOLS } from './types.ts'
import type { Kind } from './types.ts'

const CHOICES = [...PRODUCTS, OTHER]

/** Adds an identity provider. The page of the provider then shows what to enter there. */
export function NewProvider ({ onClose }: { onClose: () => void }) {
  const { route } = useLocation()
  const [product, setProduct] = useState<Product>(CHOICES[0] ?? OTHER)
  const [wanted, setWanted] = useState<Kind>('oidc')
  const kind = product.kinds.includes(wanted) ? wanted : product.kinds[0] ?? 'oidc'
  const form = useForm(async (values, element) => {
    const { name = '', secret = '' } = values
    const basic = ['issuer', 'client_id', 'metadata_xml', 'entry_point', 'idp_entity_id', 'certificates'] as const
    const entered = Object.fromEntries(basic.map((setting) => [setting, (values[`settings/${setting}`] ?? '').trim()])
      .filter(([, value]) => value !== ''))
    const { certificates, ...others } = entered
    const { id } = await call('post', 'identity-providers', {
      body: {
        kind,
        name,
        enabled: true,
        settings: {
          ...others,
          ...certificates === undefined ? {} : { certificates: certificatesOf(certificates) },
          ...withoutDefaults(settingsFrom(values, MORE_SETTINGS[kind], element))
        },
        ...secret === '' ? {} : { secret }
      }
    })
    toast(`"${name}" is added. Now enter the URLs at the provider.`)
    route(at('sso/:id', { id }))
  })
  const where = product.where[kind]
  return (
    <Dialog title='New identity provider' onClose={onClose}>
      <ErrorNotice error={form.error} />
      <form {...form.props} class='stack'>
        <SelectField
          name='product' label='Product' form={form} choices={CHOICES.map(({ id, name }) => [id, name])}
          onChange={({ currentTarget }) => {
            const { value } = currentTarget as HTMLSelectElement
            setProduct(CHOICES.find(({ id }) => id === value) ?? OTHER)
          }}
        />
        <SelectField
          key={`kind ${product.id}`} name='kind' label='Protocol' form={form} defaultValue={kind}
          choices={product.kinds.map((choice) => [choice, PROTOCOLS[choice]])}
          onChange={({ currentTarget }) => setWanted((currentTarget as HTMLSelectElement).value as Kind)}
        />
        <p class='hint'>
          {where === undefined ? '' : `${product.name}: ${where} `}
          <GuideLink page={product === OTHER ? `admin-${kind}` : guideOf(product, kind)}>Guide step by step</GuideLink>
        </p>
        <TextField
          key={`name ${product.id}`} name='name' label='Name' required maxLength={200} form={form}
          defaultValue={product === OTHER ? '' : product.name} hint='People see it on the button of the sign-in.'
        />
        {kind === 'oidc' ? <OidcFields form={form} product={product} /> : <SamlFields form={form} />}
        <MoreSettings
          key={`more ${product.id} ${kind}`} form={form} kind={kind} stored={product.presets ?? {}}
          without={kind === 'oidc' ? product.needs ?? [] : []}
        />
        <footer class='actions'>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind='primary' type='submit' busy={form.busy}>Add the provider</Button>
        </footer>
      </form>
    </Dialog>
  )
}

function OidcFields ({ form, product: { id, issuer, presets = {}, needs = [] } }: { form: Form, product: Product }) {
  return (
    <>
      <TextField
        key={`issuer ${id}`} name='settings/issuer' label='Issuer' type='url' required maxLength={512} form={form}
        placeholder={issuer} defaultValue={presets['issuer'] ?? ''}
      />
      <TextField name='settings/client_id' label='Client ID' required maxLength={256} form={form} autocomplete='off' />
      <PasswordField
        name='secret' label='Client secret' maxLength={16_384} required={false} autocomplete='off' form={form}
        hint='Stored encrypted, and never shown again. Empty only for a public client.'
      />
      {MORE_SETTINGS.oidc.filter(({ name }) => needs.includes(name)).map((setting) =>
        <SettingField key={setting.name} form={form} setting={setting} />)}
    </>
  )
}

function SamlFields ({ form }: { form: Form }) {
  const [source, setSource] = useState('metadata')
  return (
    <>
      <SelectField
        name='source' label='Settings from' form={form} choices={[['metadata', 'The metadata of the provider'], ['hand', 'Single values']]}
        onChange={({ currentTarget }) => setSource((currentTarget as HTMLSelectElement).value)}
      />
      {source === 'metadata'
        ? (
          <TextArea
            name='settings/metadata_xml' label='Metadata (XML)' class='code' rows={6} required maxLength={200_000} spellcheck={false}
            form={form} placeholder='<EntityDescriptor …'
          />
          )
        : <SamlValues form={form} />}
    </>
  )
}

function SamlValues ({ form }: { form: Form }) {
  return (
    <>
      <TextField name='settings/entry_point' label='Login URL' type='url' required maxLength={2_000} form={form} />
      <TextField name='settings/idp_entity_id' label='Entity ID (issuer)' required maxLength={1_000} form={form} />
      <TextArea
        name='settings/certificates' label='Signing certificates' class='code' rows={5} required spellcheck={false} form={form}
        placeholder='-----BEGIN CERTIFICATE-----' hint='PEM, up to five.'
      />
    </>
  )
}

export function guideOf ({ guide, kinds }: Product, kind: Kind): string {
  return kind === 'saml' && kinds.length > 1 ? `${guide}#saml` : guide
}
