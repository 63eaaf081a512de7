import t from 'tap'

import { createSigningPair } from '../../../../server/mock-products/saml/certificate.js'
import type { Console } from '../../../helpers/console.js'
import { playScenes } from '../../../helpers/scenes.js'

const ids = { oidc: '', saml: '', domain: '' }

async function prepare ({ app, store, ownerToken }: Console): Promise<undefined> {
  const authorization = `Bearer ${await ownerToken()}`
  const post = async (url: string, payload: object) => {
    const reply = await app.inject({ method: 'POST', url: `/v1/admin/${url}`, headers: { authorization }, payload })
    if (reply.statusCode >= 300) throw new Error(`${url}: ${reply.body}`)
    return reply.json()
  }
  const [year, now] = [365 * 86_400_000, Date.now()]
  const certificate = async (at: number) => (await createSigningPair('idp', at)).certificate
  const okta = await post('identity-providers', {
    kind: 'oidc',
    name: 'Okta',
    settings: { issuer: 'https://acme.okta.com', client_id: '0oa1b2c3d4e5f6', scopes: ['openid', 'email', 'groups'], trust_mfa: ['mfa'] },
    secret: 'a client secret',
    roles: {
      claim: 'groups',
      mapping: [
        { value: 'gate-owners', role: 'owner' }, { value: 'gate-admins', role: 'admin' }, { value: 'gate-analysts', role: 'editor' }
      ],
      fallback: null
    }
  })
  const entra = await post('identity-providers', {
    kind: 'saml',
    name: 'Microsoft Entra ID',
    enabled: false,
    settings: {
      entry_point: 'https://login.microsoftonline.com/0b7c0c5e-4f0f-4c3a-8f0e-2f6c1f0f3a11/saml2',
      idp_entity_id: 'https://sts.windows.net/0b7c0c5e-4f0f-4c3a-8f0e-2f6c1f0f3a11/',
      certificates: [await certificate(now), await certificate(now - 15 * year)]
    }
  })
  for (const domain of ['acme.com', 'acme.example']) {
    const { id } = await post('sso-domains', { domain })
    const { orgId } = (await store.identityProviders.resolve(okta.id)) ?? { orgId: '' }
    await store.ssoDomains.verify(orgId, id)
    if (domain === 'acme.com') await store.ssoDomains.update(orgId, id, { sso: 'required' })
  }
  ids.domain = (await post('sso-domains', { domain: 'acme-research.example' })).id
  Object.assign(ids, { oidc: okta.id, saml: entra.id })
  return undefined
}

const EMPTY = { data: [], next_cursor: null, has_more: false }
const BROKEN = { status: 503, json: { error: { code: 'STORE_UNAVAILABLE', message: 'The database does not respond.' } } }

t.test('the pages of single sign-on', (t) => playScenes(t, {
  prepare,
  scenes: [
    {
      name: 'sso',
      path: 'console/sso',
      arrange: async (page) => {
        await page.getByRole('link', { name: 'Okta' }).waitFor()
        await page.getByText('acme-research.example').waitFor()
      }
    },
    {
      name: 'sso-empty',
      path: 'console/sso',
      intercept: async (page) => {
        await page.route('**/v1/admin/identity-providers?*', (route) => route.fulfill({ json: EMPTY }))
        await page.route('**/v1/admin/sso-domains?*', (route) => route.fulfill({ json: EMPTY }))
      },
      arrange: async (page) => {
        await page.getByText('No identity provider yet').waitFor()
        await page.getByText('No email domain yet').waitFor()
      }
    },
    {
      name: 'sso-error',
      path: 'console/sso',
      unpictured: true,
      intercept: (page) => page.route(/identity-providers|sso-domains/, (route) => route.fulfill(BROKEN)),
      arrange: (page) => page.getByRole('alert').nth(1).waitFor()
    },
    {
      name: 'sso-new-provider',
      path: 'console/sso',
      async arrange (page) {
        await page.getByRole('button', { name: 'New identity provider' }).click()
        await page.getByLabel('Product').selectOption('Google Workspace')
        await page.getByRole('textbox', { name: 'Client ID' }).fill('1234.apps.googleusercontent.com')
        await page.getByRole('textbox', { name: 'Client secret' }).fill('a client secret')
        await page.getByRole('button', { name: 'Add the provider' }).click()
        await page.getByText('Is required for Google').waitFor()
      }
    },
    {
      name: 'sso-new-saml',
      path: 'console/sso',
      async arrange (page) {
        await page.getByRole('button', { name: 'New identity provider' }).click()
        await page.getByLabel('Protocol').selectOption('SAML 2.0')
        await page.getByLabel('Metadata (XML)').fill('<EntityDescriptor/>')
        await page.getByRole('button', { name: 'Add the provider' }).click()
        await page.locator('.mistake').waitFor()
      }
    },
    {
      name: 'sso-prove',
      path: () => `console/sso?domain=${ids.domain}`,
      arrange: (page) => page.getByRole('button', { name: 'Check now' }).waitFor()
    },
    {
      name: 'sso-oidc',
      path: () => `console/sso/${ids.oidc}`,
      arrange: (page) => page.getByText('Sign-in redirect URIs').waitFor()
    },
    {
      name: 'sso-saml',
      path: () => `console/sso/${ids.saml}`,
      arrange: (page) => page.getByText('has expired').waitFor()
    },
    {
      name: 'sso-roles',
      path: () => `console/sso/${ids.oidc}`,
      async arrange (page) {
        await page.getByRole('button', { name: 'Change the roles…' }).click()
        await page.getByLabel('Value 3').waitFor()
      }
    },
    {
      name: 'sso-settings',
      path: () => `console/sso/${ids.saml}`,
      async arrange (page) {
        await page.getByRole('button', { name: 'Change the settings…' }).click()
        await page.getByText('More settings').click()
        await page.getByLabel('Sign requests').waitFor()
      }
    },
    {
      name: 'sso-delete',
      path: () => `console/sso/${ids.oidc}`,
      async arrange (page) {
        await page.getByRole('button', { name: 'Delete…' }).click()
        await page.getByText('Only owners can still sign in').waitFor()
      }
    }
  ]
}))
