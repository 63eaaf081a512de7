import t from 'tap'

import { domainNameOf, emailOf } from '../../../../routes/admin/sso/domain-name.js'
import { changedRole, roleOf } from '../../../../routes/admin/sso/role.js'
import type { RoleRules } from '../../../../contracts/token-store/index.js'

t.test('a domain is read in lower case and punycode, and anything else is refused', async (t) => {
  const domains = {
    'example.com': 'example.com',
    'Example.COM': 'example.com',
    'bücher.example': 'xn--bcher-kva.example',
    'a.b.c.example.co.uk': 'a.b.c.example.co.uk'
  }
  for (const [text, name] of Object.entries(domains)) t.equal(domainNameOf(text), name, text)
  const wrong = ['', 'localhost', 'com', '.com', 'example.com.', '*.example.com', 'https://example.com', 'a@example.com',
    '127.0.0.1', '[::1]', 'exa mple.com', 'example..com', '-a.example.com', 'a'.repeat(64) + '.com',
    `${'a.'.repeat(130)}com`, 'example.com/x', 'example.com:80', 'a_b.example.com', 'example.123', null, 7, ['example.com']]
  for (const text of wrong) t.equal(domainNameOf(text), null, JSON.stringify(text))
})

t.test('an email with one ASCII domain is read in lower case, and anything else is refused', async (t) => {
  t.strictSame(emailOf('Ann@Example.com'), { email: 'ann@example.com', domain: 'example.com' })
  t.strictSame(emailOf('a+b@xn--bcher-kva.example'), {
    email: 'a+b@xn--bcher-kva.example', domain: 'xn--bcher-kva.example'
  })
  const wrong = ['', 'ann', '@example.com', 'ann@', 'ann@localhost', 'ann@example.com@evil.test', 'ann@evil.test@example.com',
    'ann@exam\u0440le.com', 'ann@ex\u00e4mple.com', 'ann@example.com.', 'ann@[127.0.0.1]', 'a nn@example.com',
    'ann@example.com\n', 'ann@example.com\u0000', '"a b"@example.com', 'ann@example.com, bob@example.com',
    'Ann <ann@example.com>', `${'a'.repeat(65)}@example.com`, `a@${'b.'.repeat(130)}com`, null, undefined, 7,
    ['ann@example.com'], { email: 'ann@example.com' }]
  for (const text of wrong) t.equal(emailOf(text), null, JSON.stringify(text))
})

const RULES: RoleRules = {
  claim: 'groups',
  mapping: [{ value: 'staff', role: 'viewer' }, { value: 'admins', role: 'admin' }, { value: 'analysts', role: 'editor' }],
  fallback: null
}

t.test('the highest role of all matching values applies, else the fallback', async (t) => {
  const expected = [
    [['staff'], 'viewer'],
    [['staff', 'admins', 'analysts'], 'admin'],
    [['analysts', 'unknown'], 'editor'],
    [['Admins'], null],
    [['admin'], null],
    [[], null]
  ] as const
  for (const [values, role] of expected) t.equal(roleOf(RULES, values), role, values.join())
  t.equal(roleOf({ ...RULES, fallback: 'viewer' }, ['unknown']), 'viewer')
})

t.test('a login changes the role to the mapped one, but not a role above all that the rules give', async (t) => {
  t.equal(changedRole(RULES, 'viewer', 'admin'), 'admin')
  t.equal(changedRole(RULES, 'admin', 'viewer'), 'viewer')
  t.equal(changedRole(RULES, 'owner', 'admin'), 'owner', 'no rule gives the role owner')
  const owners = { ...RULES, mapping: [...RULES.mapping, { value: 'owners', role: 'owner' as const }] }
  t.equal(changedRole(owners, 'owner', 'admin'), 'admin')
  t.equal(changedRole({ ...RULES, claim: null }, 'viewer', 'admin'), 'viewer', 'without a claim roles are managed here')
})
