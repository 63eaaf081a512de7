import t from 'tap'
import type { Test } from 'tap'

import type { TokenStore } from '../../../../contracts/token-store/index.js'
import type { Passwords } from '../../../../lib/passwords/index.js'
import { memoryStore } from '../../../../plugins/token-store/memory/index.js'
import { adminApp, cheapPasswords } from '../../../helpers/admin.js'

/** Records the name of each method that is called on the object, as `<part>.<method>`. */
function recorded<Part extends object> (part: Part, name: string, calls: string[]): Part {
  return new Proxy(part, {
    get (target, property) {
      const value: unknown = Reflect.get(target, property)
      if (typeof value !== 'function') return value
      return (...parameters: unknown[]) => {
        calls.push(`${name}.${String(property)}`)
        return (value as (...all: unknown[]) => unknown).apply(target, parameters)
      }
    }
  })
}

async function setUp (t: Test) {
  const calls: string[] = []
  const store = memoryStore()
  const parts = Object.entries(store).map(([name, part]) => [
    name,
    typeof part === 'object' ? recorded(part as object, name, calls) : part
  ])
  const passwords: Passwords = recorded(await cheapPasswords(), 'passwords', calls)
  const admin = await adminApp(t, { store: Object.fromEntries(parts) as TokenStore, auth: { passwords } })
  await admin.addUser('ann@example.com', 'owner', 'acme')
  await store.organisations.create({ id: 'foreign', name: 'Foreign' })
  /** The calls of one login, and of its audit entries, which are written after the response. */
  async function work (email: string, fields: object = {}) {
    await new Promise(setImmediate)
    calls.length = 0
    const reply = await admin.post('login', { email, password: 'a wrong password', ...fields })
    await new Promise(setImmediate)
    return { status: reply.statusCode, body: reply.body, calls: calls.filter((call) => call !== 'audit.addRepeats') }
  }
  return { work }
}

const BODIES: ReadonlyArray<object> = [{}, { org_id: 'acme' }, { org_id: 'foreign' }, { org_id: 'nothing' }]

for (const body of BODIES) {
  t.test(`known and unknown emails cause the same hashes and store calls with ${JSON.stringify(body)}`, async (t) => {
    const { work } = await setUp(t)
    // The sixth login meets a locked account.
    for (let attempt = 1; attempt <= 6; attempt++) {
      const known = await work('ann@example.com', body)
      const unknown = await work('unknown@example.com', body)
      t.same(known, unknown, `attempt ${attempt}`)
      t.equal(known.calls.filter((call) => call === 'passwords.verify').length, attempt <= 5 ? 1 : 0)
      t.ok(known.calls.includes('users.findByEmail'))
    }
  })
}
