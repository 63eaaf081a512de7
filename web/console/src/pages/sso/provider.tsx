import { useRoute } from 'preact-iso'

import { call } from '../../api/client.ts'
import { may } from '../../api/session.ts'
import { useQuery } from '../../api/use-query.ts'
import { GuideLink } from '../../shell/guide.tsx'
import { at } from '../../shell/paths.ts'
import { ButtonLink } from '../../ui/button.tsx'
import { Copyable } from '../../ui/copy.tsx'
import { Badge, Facts, Page, Section } from '../../ui/layout.tsx'
import { ErrorNotice, Loading, Notice } from '../../ui/states.tsx'
import { ProviderState } from './index.tsx'
import { guideOf } from './new-provider.tsx'
import { labelOf, productOf, urlsOf } from './products.ts'
import { RolesSection } from './roles.tsx'
import { SecretSection } from './secret.tsx'
import { SettingsSection } from './settings-section.tsx'
import { Switches } from './switches.tsx'
import { PROTOCOLS } from './types.ts'
import type { Provider } from './types.ts'

/** One identity provider: what to enter there, its settings, its roles, and a sign-in to try. */
export default function ProviderPage () {
  const { params: { id = '' } } = useRoute()
  const { data, error, reload } = useQuery(`identity provider ${id}`, (signal) =>
    call('get', 'identity-providers/{id}', { path: { id }, signal }) as Promise<unknown> as Promise<Provider>)
  const lead = <a href={at('sso')}>Single sign-on</a>
  if (data === undefined) {
    return (
      <Page title='Identity provider' lead={lead}>
        {error === undefined ? <Loading lines={8} /> : <ErrorNotice error={error} retry={reload} />}
      </Page>
    )
  }
  return (
    <Page
      title={data.name} lead={lead}
      actions={<><ProviderState provider={data} /><Badge>{PROTOCOLS[data.kind]}</Badge></>}
    >
      {data.warnings.map((warning) => <Notice key={warning} kind='warning'>{sentenceOf(warning)}</Notice>)}
      <Urls provider={data} />
      <TrySignIn provider={data} />
      <SettingsSection provider={data} onChanged={reload} />
      <RolesSection provider={data} onChanged={reload} />
      {may('owner') ? <SecretSection provider={data} onChanged={reload} /> : null}
      {may('owner') ? <Switches provider={data} onChanged={reload} /> : null}
    </Page>
  )
}

/** `certificates/0 has expired on …` is a path of a setting and what is wrong with it. */
function sentenceOf (warning: string): string {
  const [, list, number, rest] = /^(sp_)?certificates\/(\d+) (.*)$/.exec(warning) ?? []
  if (number === undefined) return `${warning}.`
  return `The ${list === undefined ? 'signing certificate' : 'certificate here'} ${Number(number) + 1} ${rest}.`
}

function Urls ({ provider }: { provider: Provider }) {
  const product = productOf(provider)
  const isNamed = product.id !== 'other'
  return (
    <Section
      title={isNamed ? `Enter in ${product.name}` : 'Enter at the provider'}
      lead={
        <>
          {isNamed ? 'The names are those of its fields. ' : ''}
          <GuideLink page={guideOf(product, provider.kind)}>Guide step by step</GuideLink>
        </>
      }
    >
      <Facts
        items={urlsOf(provider).map(([name, url]) =>
          [labelOf(product, name), <Copyable value={url} what={labelOf(product, name)} />])}
      />
    </Section>
  )
}

function TrySignIn ({ provider: { enabled, kind, urls } }: { provider: Provider }) {
  const own = urls[kind === 'oidc' ? 'redirect_uri' : 'acs_url']
  if (own === undefined) return null
  const start = new URL('start', own).href
  return (
    <Section
      title='Try the sign-in' lead='The address also works as a tile or bookmark of your provider.'
      actions={enabled ? <ButtonLink icon='login' href={start}>Sign in now</ButtonLink> : undefined}
    >
      <Facts items={[['Address', <Copyable value={start} what='address of the sign-in' />]]} />
      <p class='hint'>
        {enabled
          ? 'A sign-in here replaces your session. To stay signed in, open the address in a private window.'
          : 'The provider is disabled, so the address is answered with 404.'}
      </p>
    </Section>
  )
}
