import { readdir, readFile } from 'node:fs/promises'

import t from 'tap'

import { ROOT } from '../../helpers/docs-pages.js'
import { SENTENCES, partsOf, sentenceOf } from '../../../web/console/src/pages/audit-log/sentences.js'

const SUBJECTS = 'auth|databrain_proxy|embed|events|group|guest_token|key|organisation|refused_events?|scim|source|sso|' +
  'user|webhook|widget_token'
const ACTION = new RegExp(`'((?:${SUBJECTS})\\.[a-z_]+)'`, 'g')
const FOLDERS = ['routes/', 'plugins/admin-guard/', 'lib/', 'server/commands/']
/** A type of a notice and names of columns. */
const NO_ACTION = /^key\.expiring$|^(?:user|group)\.(?:org_id|user_id|id|seq|display_name|user_name|user_name_key)$/

async function recorded (): Promise<string[]> {
  const found = new Set(['notice.key_expiring', 'notice.quota_warning', 'notice.quota_exceeded'])
  for (const folder of FOLDERS) {
    for (const path of await readdir(new URL(folder, ROOT), { recursive: true })) {
      if (!path.endsWith('.ts')) continue
      const text = await readFile(new URL(folder + path, ROOT), 'utf8')
      for (const [, action = ''] of text.matchAll(ACTION)) if (!NO_ACTION.test(action)) found.add(action)
    }
  }
  return [...found].sort()
}

t.test('every audit action of the code has a sentence in the console, and no sentence is left over', async (t) => {
  const actions = await recorded()
  t.ok(actions.length > 80, `${actions.length} actions`)
  t.same(Object.keys(SENTENCES).sort(), actions)
})

t.test('a sentence names its values, and leaves out a part without a value', async (t) => {
  const textOf = (action: string, values: Record<string, string>) =>
    partsOf(sentenceOf(action, values), (name) => name in values)
      .map((part) => 'text' in part ? part.text : values[part.name]).join('')
  t.equal(textOf('source.key_rotated', { who: 'ann', it: 'Shop' }), 'ann rotated the pipeline key of Shop')
  t.equal(textOf('source.key_rotated', { who: 'ann', it: 'Shop', name: 'old' }), 'ann rotated the pipeline key old of Shop')
  t.equal(textOf('auth.logout', { who: 'ann', reason: 'replaced' }), 'ann signed in again, which ended the former session')
  t.equal(textOf('plan.changed', { who: 'ann' }), 'ann: plan.changed', 'an action of a host')
})

t.test('the parts of every sentence are words and names', async (t) => {
  for (const [action, sentence] of Object.entries(SENTENCES)) {
    const text = typeof sentence === 'string' ? sentence : sentence({})
    const kept = partsOf(text, () => true).map((part) => 'text' in part ? part.text : 'x').join('')
    t.notMatch(kept, /[[\]{}]/, action)
  }
})
