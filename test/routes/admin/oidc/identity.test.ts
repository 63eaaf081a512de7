import t from 'tap'

import { identityOf } from '../../../../routes/admin/oidc/identity.js'
import { completeSettings } from '../../../../routes/admin/oidc/settings.js'
import type { OidcSettings } from '../../../../schemas/admin-oidc.js'

const now = 1_800_000_000_000

function identity (
  claims: Record<string, unknown>,
  settings: Partial<OidcSettings> = {},
  roleClaim: string | null = null
) {
  return identityOf({
    settings: completeSettings({ issuer: 'https://idp.example', client_id: 'gate', ...settings }),
    claims: { sub: 's', ...claims },
    roleClaim,
    idToken: null,
    now
  })
}

t.test('a second factor at the provider counts for a value of amr or acr that the settings trust', async (t) => {
  const at = now / 1_000 - 60
  const trust = { trust_mfa: ['mfa', 'urn:strong'] }
  t.equal(identity({ amr: ['pwd', 'mfa'], auth_time: at }, trust).mfaAt, at * 1_000)
  t.equal(identity({ acr: 'urn:strong', auth_time: at }, trust).mfaAt, at * 1_000)
  t.equal(identity({ amr: 'mfa', auth_time: at }, trust).mfaAt, at * 1_000)
  t.equal(identity({ amr: ['pwd'], auth_time: at }, trust).mfaAt, null)
  t.equal(identity({ amr: ['pwd', 'mfa'], auth_time: at }).mfaAt, null)
  t.equal(identity({ amr: { mfa: true }, auth_time: at }, trust).mfaAt, null)
})

t.test('a second factor is never fresher than the provider says', async (t) => {
  const trust = { trust_mfa: ['mfa'] }
  t.equal(identity({ amr: ['mfa'] }, trust).mfaAt, 0, 'without auth_time')
  t.equal(identity({ amr: ['mfa'], auth_time: '1' }, trust).mfaAt, 0)
  t.equal(identity({ amr: ['mfa'], auth_time: now / 1_000 + 10_000 }, trust).mfaAt, now, 'not in the future')
})

t.test('roles are read from a claim, from a claim with full stops in its name, or from a path', async (t) => {
  const name = 'https://app.example/roles'
  t.same(identity({ groups: ['a', 'b'] }, {}, 'groups').roleValues, ['a', 'b'])
  t.same(identity({ groups: 'a' }, {}, 'groups').roleValues, ['a'])
  t.same(identity({ [name]: ['a'] }, {}, name).roleValues, ['a'])
  t.same(identity({ realm_access: { roles: ['a'] } }, {}, 'realm_access.roles').roleValues, ['a'])
  t.same(identity({ groups: [1, null, 'a', ['b']] }, {}, 'groups').roleValues, ['a'])
  for (const path of ['constructor.name', '__proto__', 'groups.length', 'missing', 'missing.a', 'toString']) {
    t.same(identity({ groups: ['a'] }, {}, path).roleValues, [], path)
  }
  t.same(identity({ groups: ['a'] }).roleValues, [], 'no claim is configured')
})

t.test('the session of the provider is its sid, if that is a string of 1 to 255 characters', async (t) => {
  t.equal(identity({ sid: 'p' }).providerSession, 'p')
  for (const sid of [undefined, '', 1, ['p'], 'p'.repeat(256)]) t.equal(identity({ sid }).providerSession, null)
})
