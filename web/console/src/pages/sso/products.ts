import type { Kind, Provider } from './types.ts'

/** An identity provider that people know by its name. It names fields and links the guide; it changes no rule. */
export interface Product {
  id: string
  name: string
  kinds: readonly Kind[]
  /** The page of the documentation, such as `sso-okta`. */
  guide: string
  /** What an issuer looks like. */
  issuer: string
  /** Where the client id and the secret, or the metadata, are found. */
  where: Partial<Record<Kind, string>>
  /** Settings that the product needs, as the guide says. They are shown, and may be changed. */
  presets?: Readonly<Record<string, string>>
  /** Further settings of OpenID Connect that the product needs; others are below "More settings". */
  needs?: readonly string[]
  /** The fields of the product for the URLs of this server. */
  labels: Readonly<Record<string, string>>
  /** Whether an address of an issuer or a login page belongs to the product. */
  isOf (url: URL): boolean
}

const LABELS: Readonly<Record<string, string>> = {
  redirect_uri: 'Redirect URI',
  post_logout_redirect_uri: 'Redirect URI after a logout',
  backchannel_logout_uri: 'Back-channel logout URI',
  entity_id: 'Entity ID',
  acs_url: 'Assertion consumer service (ACS) URL',
  metadata_url: 'Metadata URL',
  slo_url: 'Single logout URL'
}

const endsWith = (...domains: string[]) => ({ hostname }: URL) =>
  domains.some((domain) => hostname === domain || hostname.endsWith(`.${domain}`))

export const PRODUCTS: readonly Product[] = [
  {
    id: 'okta',
    name: 'Okta',
    kinds: ['oidc', 'saml'],
    guide: 'sso-okta',
    issuer: 'https://acme.okta.com',
    where: {
      oidc: 'Applications > Create App Integration > OIDC, Web Application. The client id and secret are on the tab General.',
      saml: 'Applications > Create App Integration > SAML 2.0. The metadata is on the tab Sign On, View IdP metadata.'
    },
    labels: {
      redirect_uri: 'Sign-in redirect URIs',
      post_logout_redirect_uri: 'Sign-out redirect URIs',
      acs_url: 'Single sign-on URL',
      entity_id: 'Audience URI (SP Entity ID)',
      slo_url: 'Single Logout URL'
    },
    isOf: endsWith('okta.com', 'oktapreview.com', 'okta-emea.com')
  },
  {
    id: 'entra-id',
    name: 'Microsoft Entra ID',
    kinds: ['oidc', 'saml'],
    guide: 'sso-entra-id',
    issuer: 'https://login.microsoftonline.com/TENANT-ID/v2.0',
    where: {
      oidc: 'App registrations > New registration, Single tenant. Copy the Application (client) ID, and the Value of a ' +
        'new client secret.',
      saml: 'Enterprise applications > Single sign-on > SAML. Download the Federation Metadata XML.'
    },
    presets: { email_verified_claim: 'xms_edov' },
    needs: ['tenant'],
    labels: {
      redirect_uri: 'Redirect URI, platform Web',
      post_logout_redirect_uri: 'Redirect URI, platform Web (second)',
      entity_id: 'Identifier (Entity ID)',
      acs_url: 'Reply URL (Assertion Consumer Service URL)',
      slo_url: 'Logout Url'
    },
    isOf: endsWith('microsoftonline.com', 'microsoftonline.us', 'windows.net')
  },
  {
    id: 'google-workspace',
    name: 'Google Workspace',
    kinds: ['oidc', 'saml'],
    guide: 'sso-google-workspace',
    issuer: 'https://accounts.google.com',
    where: {
      oidc: 'Google Auth Platform > Clients > Create client, Web application. Copy the client id and secret.',
      saml: 'Apps > Web and mobile apps > Add custom SAML app > Download metadata.'
    },
    presets: { issuer: 'https://accounts.google.com' },
    needs: ['hosted_domain'],
    labels: { redirect_uri: 'Authorized redirect URIs', acs_url: 'ACS URL', entity_id: 'Entity ID' },
    isOf: endsWith('accounts.google.com')
  },
  {
    id: 'auth0',
    name: 'Auth0',
    kinds: ['oidc'],
    guide: 'sso-auth0',
    issuer: 'https://acme.eu.auth0.com/',
    where: { oidc: 'Applications > Create Application > Regular Web Applications. The issuer is the Domain, with a slash at the end.' },
    presets: { token_endpoint_auth_method: 'client_secret_post' },
    labels: {
      redirect_uri: 'Allowed Callback URLs',
      post_logout_redirect_uri: 'Allowed Logout URLs',
      backchannel_logout_uri: 'Back-Channel Logout URI'
    },
    isOf: endsWith('auth0.com')
  },
  {
    id: 'keycloak',
    name: 'Keycloak',
    kinds: ['oidc', 'saml'],
    guide: 'sso-keycloak',
    issuer: 'https://sso.example.com/realms/acme',
    where: {
      oidc: 'Clients > Create client, OpenID Connect, with Client authentication on. The secret is on the tab Credentials.',
      saml: 'Realm settings > Endpoints > SAML 2.0 Identity Provider Metadata.'
    },
    labels: {
      redirect_uri: 'Valid redirect URIs',
      post_logout_redirect_uri: 'Valid post logout redirect URIs',
      backchannel_logout_uri: 'Backchannel logout URL',
      entity_id: 'Client ID',
      acs_url: 'Valid redirect URIs',
      slo_url: 'Logout Service Redirect Binding URL'
    },
    isOf: ({ pathname }) => /^\/(?:auth\/)?realms\//.test(pathname)
  },
  {
    id: 'onelogin',
    name: 'OneLogin',
    kinds: ['saml'],
    guide: 'sso-onelogin',
    issuer: '',
    where: { saml: 'Applications > Add App > SAML Custom Connector (Advanced). The metadata is in More Actions.' },
    labels: { entity_id: 'Audience (EntityID)', acs_url: 'Recipient, and ACS (Consumer) URL', slo_url: 'Single Logout URL' },
    isOf: endsWith('onelogin.com')
  }
]

export const OTHER: Product = {
  id: 'other',
  name: 'Another provider',
  kinds: ['oidc', 'saml'],
  guide: 'admin-oidc',
  issuer: 'https://login.example.com',
  where: {},
  labels: {},
  isOf: () => true
}

/** Returns the product of a provider by the address of its login. */
export function productOf ({ kind, settings }: Pick<Provider, 'kind' | 'settings'>): Product {
  const address = String(settings[kind === 'oidc' ? 'issuer' : 'entry_point'])
  const url = parsed(address)
  const found = url === null ? undefined : PRODUCTS.find(({ isOf, kinds }) => kinds.includes(kind) && isOf(url))
  return found ?? { ...OTHER, guide: kind === 'oidc' ? 'admin-oidc' : 'admin-saml' }
}

function parsed (address: string): URL | null {
  try {
    return new URL(address)
  } catch {
    return null
  }
}

/** Returns the URLs of a provider in the order of the steps there. */
export function urlsOf ({ urls }: Pick<Provider, 'urls'>): Array<readonly [name: string, url: string]> {
  return Object.keys(LABELS).flatMap((name) => urls[name] === undefined ? [] : [[name, urls[name]] as const])
}

export function labelOf ({ labels }: Product, url: string): string {
  return labels[url] ?? LABELS[url] ?? url
}
