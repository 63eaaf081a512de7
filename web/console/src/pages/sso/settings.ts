import type { Values } from '../../api/use-form.ts'
import type { Kind } from './types.ts'

/** A setting of a provider, and the field for it. */
export interface Setting {
  name: string
  label: string
  hint?: string
  /** `list`: words; `certificates`: PEM; `flag`: a switch. Default: `text`. */
  kind?: 'text' | 'list' | 'certificates' | 'flag' | 'choice' | 'number'
  /** Of a `choice`: the first one stands for the default. */
  choices?: ReadonlyArray<readonly [string, string]>
  /** Of a `flag`: its default. */
  on?: boolean
}

const MFA: Setting = {
  name: 'trust_mfa',
  label: 'Values that prove a second factor',
  kind: 'list',
  hint: 'A sign-in with one of these values needs no second factor here. Separate them by spaces.'
}

/** What most providers need no change of. */
export const MORE_SETTINGS: Readonly<Record<Kind, readonly Setting[]>> = {
  oidc: [
    { name: 'hosted_domain', label: 'Hosted domain', hint: 'Google Workspace: its primary domain (claim hd). Required there.' },
    { name: 'tenant', label: 'Tenant', hint: 'Entra ID: the id of your tenant (claim tid).' },
    { name: 'scopes', label: 'Scopes', kind: 'list', hint: 'Separate them by spaces. Default: openid email profile' },
    {
      name: 'token_endpoint_auth_method',
      label: 'Authentication at the token endpoint',
      kind: 'choice',
      choices: [
        ['', 'client_secret_basic (default)'], ['client_secret_post', 'client_secret_post'], ['none', 'none: a public client']
      ]
    },
    {
      name: 'id_token_signed_response_alg',
      label: 'Signature of ID tokens',
      kind: 'choice',
      choices: [['', 'RS256 (default)'], ['PS256', 'PS256'], ['ES256', 'ES256'], ['EdDSA', 'EdDSA']]
    },
    { name: 'email_claim', label: 'Claim with the email', hint: 'Default: email' },
    { name: 'email_verified_claim', label: 'Claim that confirms the email', hint: 'Default: email_verified' },
    {
      name: 'trust_email',
      label: 'Trust every email of the provider',
      kind: 'flag',
      on: false,
      hint: 'Only for a provider whose users cannot choose their email, such as your own tenant of Entra ID.'
    },
    MFA,
    {
      name: 'prompt',
      label: 'What the provider asks for',
      kind: 'choice',
      choices: [
        ['', 'The provider decides'], ['login', 'A new login each time'], ['select_account', 'A choice of the account'],
        ['consent', 'Consent']
      ]
    },
    { name: 'end_session', label: 'A sign-out here also signs out at the provider', kind: 'flag', on: true }
  ],
  saml: [
    { name: 'email_attribute', label: 'Attribute with the email', hint: 'Default: the usual names, then the NameID' },
    {
      name: 'name_id_format',
      label: 'Format of the NameID',
      kind: 'choice',
      choices: [
        ['', 'Persistent (default)'],
        ['urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress', 'Email address'],
        ['urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified', 'Unspecified']
      ]
    },
    { name: 'logout_url', label: 'Logout URL of the provider', hint: 'Empty: a sign-out ends the session here alone.' },
    {
      name: 'logout_binding',
      label: 'Binding of the logout',
      kind: 'choice',
      choices: [['', 'HTTP redirect (default)'], ['post', 'HTTP POST']]
    },
    MFA,
    {
      name: 'allow_idp_initiated',
      label: 'Accept logins that start at the provider',
      kind: 'flag',
      on: false,
      hint: 'A prepared page can then sign a person in to an account of an attacker. Leave it off.'
    },
    { name: 'want_response_signed', label: 'Require a signature around the whole response', kind: 'flag', on: false },
    { name: 'sign_requests', label: 'Sign requests', kind: 'flag', on: false, hint: 'Needs a private key.' },
    { name: 'clock_skew_seconds', label: 'Accepted difference of the clocks, in seconds', kind: 'number', hint: 'Default: 60' },
    {
      name: 'sp_certificates',
      label: 'Certificates of the private keys here',
      kind: 'certificates',
      hint: 'PEM, the newest first. Needed to sign requests and to decrypt assertions.'
    }
  ]
}

/** Returns the settings of the fields that a form has; `null` for the default. */
export function settingsFrom (
  values: Values,
  settings: readonly Setting[],
  form: HTMLFormElement
): Record<string, unknown> {
  const present = settings.filter(({ name }) => form.elements.namedItem(`settings/${name}`) !== null)
  return Object.fromEntries(present.map((setting) =>
    [setting.name, valueOf(setting, values[`settings/${setting.name}`])]))
}

function valueOf ({ kind = 'text', on = false }: Setting, text: string | undefined): unknown {
  // A switch that is off has no value in a form.
  if (kind === 'flag') return (text !== undefined) === on ? null : !on
  const bare = (text ?? '').trim()
  if (bare === '') return null
  if (kind === 'list') return [...new Set(bare.split(/[\s,]+/))]
  if (kind === 'certificates') return certificatesOf(bare)
  return kind === 'number' ? Number(bare) : bare
}

/** Returns the certificates of PEM blocks, or one of plain base64. */
export function certificatesOf (text: string): string[] {
  return text.match(/-----BEGIN[\s\S]*?-----END[^-]*-----/g) ?? [text.trim()]
}

/** Returns the text of a stored setting in its field. */
export function textOf (value: unknown): string {
  if (Array.isArray(value)) return value.join(String(value[0]).startsWith('-----') ? '\n' : ' ')
  return value === undefined || value === null ? '' : String(value)
}

/** Leaves out what has its default: a new provider needs no `null`. */
export function withoutDefaults (settings: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== null))
}
