import t from 'tap'
import type { Test } from 'tap'

import { ERROR, scimApp } from '../../../helpers/scim.js'
import type { Directory } from '../../../helpers/scim.js'

type Reply = Awaited<ReturnType<Directory['send']>>

/** Asserts an error in the form of SCIM. */
function refused (t: Test, reply: Reply, status: number, scimType: string | undefined, name: string): void {
  t.equal(reply.statusCode, status, `${name}: ${reply.body.slice(0, 200)}`)
  t.match(reply.json(), { schemas: [ERROR], status: String(status), scimType, detail: /./ }, name)
}

const deep = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`

t.test('a filter that is not supported is 400 invalidFilter', async (t) => {
  const { send, provision } = await scimApp(t)
  await provision('ann@example.com')
  const filters = [
    'userName',
    'userName eq',
    'userName eq ann',
    'userName eq "ann',
    'userName eq "a" or userName eq "b"',
    'not (userName eq "a")',
    '(userName eq "a")',
    'userName ne "a"',
    'userName gt "a"',
    'userName ew "a"',
    'userName eq "a" and',
    'userName eq "a"and active eq true',
    'userName eq 5',
    'userName eq null',
    'userName eq true',
    'active eq "maybe"',
    'active co true',
    'password eq "x"',
    'passwordHash sw "a"',
    'title eq "x"',
    'name eq "x"',
    'emails[type eq "home"].value eq "x"',
    'emails[type eq "work"]',
    'emails[type eq "work"].value',
    'emails[emails[type eq "work"]].value eq "x"',
    'emails[type eq "work".value eq "x"',
    'userName[a eq "b"] eq "x"',
    'urn:x:userName eq "a"',
    'constructor eq "a"',
    '__proto__ eq "a"',
    'userName eq "\\x"',
    'userName eq "\\ud800',
    '"a" eq "a"',
    "userName eq 'a'",
    'userName eq "a"; drop table users',
    `userName eq "${'a'.repeat(990)}"`.padEnd(1_001, ' x'),
    Array.from({ length: 11 }, () => 'active eq true').join(' and '),
    '[',
    ']',
    '\u0000',
    '%00'
  ]
  for (const filter of filters) {
    const reply = await send('GET', `/Users?filter=${encodeURIComponent(filter)}`)
    refused(t, reply, 400, filter.length > 1_000 ? 'invalidValue' : 'invalidFilter', filter)
  }
  refused(t, await send('GET', '/Groups?filter=members%20co%20%22a%22'), 400, 'invalidFilter', 'members co')
  for (const query of ['startIndex=x', 'count=1.5', 'count=1e99', 'filter=a&filter=b', `attributes=${'a'.repeat(2_001)}`]) {
    refused(t, await send('GET', `/Users?${query}`), 400, 'invalidValue', query)
  }
  for (const value of ['\u0000', '\ud800', '%', '_', '\\', "'", '🙂', 'a'.repeat(900)]) {
    const filter = encodeURIComponent(JSON.stringify(value)).replaceAll("'", '%27')
    for (const operator of ['eq', 'co', 'sw']) {
      const reply = await send('GET', `/Users?filter=userName%20${operator}%20${filter}`)
      t.equal(reply.statusCode, 200, `${operator} ${JSON.stringify(value)}`)
      t.equal(reply.json().totalResults, 0, `${operator} ${JSON.stringify(value)}`)
    }
  }
})

t.test('a PATCH of a user that is not valid is 400 with a detail code, and changes nothing', async (t) => {
  const { patch, provision, send } = await scimApp(t)
  const path = `/Users/${await provision('ann@example.com', { emails: [{ value: 'ann@example.com', type: 'work' }] })}`
  const before = (await send('GET', path)).json()
  const table: Array<[operation: object, scimType: string]> = [
    [{ op: 'move', path: 'title', value: 'x' }, 'invalidSyntax'],
    [{ op: 'replace', path: 'unknown', value: 'x' }, 'invalidPath'],
    [{ op: 'replace', path: 'name.unknown', value: 'x' }, 'invalidPath'],
    [{ op: 'replace', path: 'title.sub', value: 'x' }, 'invalidPath'],
    [{ op: 'replace', path: 'title[a eq "b"]', value: 'x' }, 'invalidPath'],
    [{ op: 'replace', path: 'emails[unknown eq "b"].value', value: 'x' }, 'invalidPath'],
    [{ op: 'replace', path: 'emails[type eq "work"', value: 'x' }, 'invalidPath'],
    [{ op: 'replace', path: 'emails[].value', value: 'x' }, 'invalidPath'],
    [{ op: 'replace', path: 'emails[type co "home"].value', value: 'x' }, 'noTarget'],
    [{ op: 'replace', path: 'urn:x:y', value: 'x' }, 'invalidPath'],
    [{ op: 'replace', path: '__proto__', value: { x: 1 } }, 'invalidPath'],
    [{ op: 'replace', path: 'constructor.prototype', value: 'x' }, 'invalidPath'],
    [{ op: 'replace', path: '\u0000', value: 'x' }, 'invalidPath'],
    [{ op: 'replace', path: ' ', value: 'x' }, 'invalidPath'],
    [{ op: 'replace', path: 'userName' }, 'invalidValue'],
    [{ op: 'remove', path: 'userName' }, 'invalidValue'],
    [{ op: 'replace', path: 'userName', value: '' }, 'invalidValue'],
    [{ op: 'replace', path: 'userName', value: 5 }, 'invalidValue'],
    [{ op: 'replace', path: 'userName', value: 'a\nb' }, 'invalidValue'],
    [{ op: 'replace', path: 'userName', value: 'a'.repeat(257) }, 'invalidValue'],
    [{ op: 'replace', path: 'title', value: 'a'.repeat(1_025) }, 'invalidValue'],
    [{ op: 'replace', path: 'title', value: { a: 1 } }, 'invalidValue'],
    [{ op: 'replace', path: 'title', value: 'a\u0000b' }, 'invalidValue'],
    [{ op: 'replace', path: 'title', value: '\ud800' }, 'invalidValue'],
    [{ op: 'replace', path: 'active', value: 'perhaps' }, 'invalidValue'],
    [{ op: 'replace', path: 'active', value: {} }, 'invalidValue'],
    [{ op: 'replace', path: 'emails', value: 5 }, 'invalidValue'],
    [{ op: 'add', path: 'emails', value: [null] }, 'invalidValue'],
    [{ op: 'add', path: 'emails', value: [[{ value: 'x' }]] }, 'invalidValue'],
    [{ op: 'replace', path: 'emails[type eq "work"].value', value: 'nonsense' }, 'invalidValue'],
    [{ op: 'replace', path: 'emails[type eq "work"].primary', value: 'nonsense' }, 'invalidValue'],
    [{ op: 'add', path: 'ims', value: Array.from({ length: 51 }, (_, at) => ({ value: `x${at}` })) }, 'invalidValue'],
    [{ op: 'add', path: 'photos', value: Array.from({ length: 50 }, (_, at) => ({ value: `${at}${'x'.repeat(1_000)}` })) },
      'invalidValue'],
    [{ op: 'replace', path: 'name', value: 'x' }, 'invalidValue'],
    [{ op: 'replace', path: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User', value: 'x' }, 'invalidValue'],
    [{ op: 'replace', value: 'x' }, 'invalidValue'],
    [{ op: 'replace', value: [{ title: 'x' }] }, 'invalidValue'],
    [{ op: 'replace' }, 'invalidValue'],
    [{ op: 'remove' }, 'invalidValue'],
    [{ op: 'replace', value: { userName: null } }, 'invalidValue'],
    [{ path: 'title', value: 'x' }, 'invalidValue'],
    [{ op: 5, path: 'title', value: 'x' }, 'invalidValue'],
    [{ op: 'add', path: 7, value: 'x' }, 'invalidValue'],
    [{ op: 'add', path: 'a'.repeat(1_001), value: 'x' }, 'invalidValue']
  ]
  for (const [operation, scimType] of table) {
    const name = JSON.stringify(operation).slice(0, 150)
    refused(t, await patch(path, { op: 'add', path: 'nickName', value: 'kept back' }, operation), 400, scimType, name)
  }
  t.same((await send('GET', path)).json(), before)
})

t.test('values in unusual forms are stored in one form, and never make an internal error', async (t) => {
  const { patch, provision, send } = await scimApp(t)
  const path = `/Users/${await provision('ann@example.com')}`
  const values: unknown[] = [null, '', 'x', 5, true, [], {}, [null], ['x'], [5], [[]], [{}], [{ value: 'x' }], { value: 'x' },
    { value: null }, { value: {} }, { value: 'x', primary: 'True', unknown: { a: [1] } }, { constructor: 'x' }]
  const paths = ['active', 'title', 'name', 'name.givenName', 'emails', 'ims', 'ims.value', 'ims[type eq "x"]',
    'ims[type eq "x"].value', 'ims[primary eq true].display', 'ims[value pr]', 'addresses', 'roles', 'groups', 'id', 'meta',
    'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User',
    'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager',
    'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value', undefined]
  const statuses = new Map<number, number>()
  for (const operationPath of paths) {
    for (const value of values) {
      for (const op of ['add', 'replace', 'remove']) {
        const name = JSON.stringify({ op, path: operationPath, value })
        const reply = await patch(path, { op, ...operationPath === undefined ? {} : { path: operationPath }, value })
        statuses.set(reply.statusCode, (statuses.get(reply.statusCode) ?? 0) + 1)
        if (reply.statusCode !== 200) refused(t, reply, 400, reply.json().scimType, name)
      }
    }
  }
  t.same([...statuses.keys()].sort(), [200, 400])
  for (const body of values) {
    const reply = await send('PUT', path, body === '' ? '""' : body)
    t.ok([200, 400].includes(reply.statusCode), `${JSON.stringify(body)}: ${reply.statusCode}`)
  }
  const twice = await send('PUT', path, { userName: 'a', UserName: 'b' })
  refused(t, twice, 400, 'invalidSyntax', 'an attribute in two spellings')
  refused(t, await send('PUT', path, '{"userName":"a","userName":"b"}'), 400, 'invalidValue', 'an attribute twice')
})

t.test('a change of a group that is not valid is 400 with a detail code, and changes nothing', async (t) => {
  const { patch, provision, addGroup, send } = await scimApp(t)
  const ann = await provision('ann@example.com')
  const group = await addGroup('Staff', [ann])
  const other = await addGroup('Other')
  const path = `/Groups/${group}`
  const before = (await send('GET', path)).json()
  const table: Array<[operation: object, scimType: string]> = [
    [{ op: 'add', path: 'members', value: [{ value: 'unknown' }] }, 'invalidValue'],
    [{ op: 'add', path: 'members', value: [{ value: other, type: 'Group' }] }, 'invalidValue'],
    [{ op: 'add', path: 'members', value: [{ value: '' }] }, 'invalidValue'],
    [{ op: 'add', path: 'members', value: [{}] }, 'invalidValue'],
    [{ op: 'add', path: 'members', value: [null] }, 'invalidValue'],
    [{ op: 'add', path: 'members', value: 5 }, 'invalidValue'],
    [{ op: 'add', path: 'members', value: [{ value: '\u0000' }] }, 'invalidValue'],
    [{ op: 'add', path: `members[value eq "${ann}"]`, value: 'x' }, 'invalidPath'],
    [{ op: 'remove', path: 'members[type eq "User"]' }, 'invalidPath'],
    [{ op: 'remove', path: 'members[value co "a"]' }, 'invalidPath'],
    [{ op: 'remove', path: 'members.value' }, 'invalidPath'],
    [{ op: 'remove', path: 'displayName' }, 'mutability'],
    [{ op: 'replace', path: 'displayName', value: null }, 'invalidValue'],
    [{ op: 'replace', path: 'displayName', value: { a: 1 } }, 'invalidValue'],
    [{ op: 'replace', path: 'displayName', value: 'a\u0000' }, 'invalidValue'],
    [{ op: 'replace', path: 'userName', value: 'x' }, 'invalidPath'],
    [{ op: 'replace', value: null }, 'invalidValue'],
    [{ op: 'delete', path: 'members' }, 'invalidSyntax']
  ]
  for (const [operation, scimType] of table) {
    const reply = await patch(path, { op: 'replace', path: 'externalId', value: 'x' }, operation)
    refused(t, reply, 400, scimType, JSON.stringify(operation))
  }
  refused(t, await patch(path, { op: 'replace', path: 'displayName', value: 'OTHER' }), 409, 'uniqueness', 'taken')
  for (const body of [{}, { displayName: '' }, { displayName: 5 }, { displayName: 'x', members: 'x' },
    { displayName: 'x', members: [{ value: 'x' }] }, { displayName: 'x', externalId: 'a'.repeat(257) }]) {
    for (const [method, at] of [['POST', '/Groups'], ['PUT', path]] as const) {
      refused(t, await send(method, at, body), 400, 'invalidValue', `${method} ${JSON.stringify(body).slice(0, 90)}`)
    }
  }
  t.same((await send('GET', path)).json(), before)
  t.equal((await send('GET', '/Groups')).json().totalResults, 2)
})

t.test('a body that is too large, too deep or no JSON is refused before it is read', async (t) => {
  const { send } = await scimApp(t)
  const users = async (payload: string, headers = {}) => await send('POST', '/Users', payload, headers)
  refused(t, await users(`{"userName":"${'a'.repeat(1_048_576)}"}`), 413, undefined, 'more than 1 MB')
  refused(t, await users(`{"userName":"a","x":${deep(70)}}`), 400, 'invalidSyntax', '70 levels')
  refused(t, await users(deep(100_000)), 400, 'invalidSyntax', '100 000 levels')
  refused(t, await users(`{"userName":"a","x":[${'1,'.repeat(50_000)}1]}`), 400, 'invalidSyntax', '50 000 elements')
  refused(t, await users('{"userName":'), 400, 'invalidSyntax', 'half a body')
  refused(t, await users('{"__proto__":{"userName":"a"}}'), 400, 'invalidSyntax', '__proto__')
  refused(t, await users('[]'), 400, 'invalidValue', 'an array')
  refused(t, await users('{}'), 400, 'invalidValue', 'an empty object')
  refused(t, await users('{}', { 'content-type': 'text/plain' }), 415, undefined, 'text')
  refused(t, await users('{}', { 'content-type': 'application/scim+json; charset=utf-16' }), 415, undefined, 'UTF-16')
  t.equal((await users('{"userName":"a@example.com"}', { 'content-type': 'application/json' })).statusCode, 201)
})

t.test('1 000 members are added and removed by one PATCH each, and more than 5 000 are refused', async (t) => {
  const { patch, provision, addGroup, send, store } = await scimApp(t)
  await store.scim.updateSettings('org-a', { groupRoles: [{ group: 'Staff', role: 'editor' }] })
  const path = `/Groups/${await addGroup('Staff')}`
  const ids: string[] = []
  for (let at = 0; at < 1_000; at++) ids.push(await provision(`user-${at}@example.com`))
  const members = ids.map((value) => ({ value, display: `user ${value}` }))
  t.equal((await patch(path, { op: 'add', path: 'members', value: members })).statusCode, 204)
  t.equal((await send('GET', path)).json().members.length, 1_000)
  t.equal((await store.members.get('org-a', ids[999] ?? ''))?.role, 'editor')
  const each = ids.map((id) => ({ op: 'Remove', path: `members[value eq "${id}"]` }))
  t.equal((await patch(path, ...each)).statusCode, 204)
  t.equal((await send('GET', path)).json().members.length, 0)
  t.equal((await store.members.get('org-a', ids[999] ?? ''))?.role, 'viewer')
  const many = Array.from({ length: 5_001 }, (_, at) => ({ value: `id-${at}` }))
  refused(t, await patch(path, { op: 'add', path: 'members', value: many }), 400, 'tooMany', '5 001 members')
})

t.test('thousands of operations make no long list, and more than 5 000 are refused', async (t) => {
  const { patch, provision } = await scimApp(t)
  const path = `/Users/${await provision('ann@example.com')}`
  const many = (operation: (at: number) => object) => Array.from({ length: 5_000 }, (_, at) => operation(at))
  for (const operations of [
    many((at) => ({ op: 'add', path: 'ims', value: { value: `v${at}` } })),
    many((at) => ({ op: 'add', path: `ims[type eq "t${at}"].value`, value: 'x' }))
  ]) {
    const reply = await patch(path, ...operations)
    refused(t, reply, 400, 'invalidValue', '5 000 values')
    t.equal(reply.json().detail, 'A list has more than 50 values', 'refused by the operation that exceeds the limit')
  }
  const titles = many((at) => ({ op: 'replace', path: 'title', value: `t${at}` }))
  t.equal((await patch(path, ...titles)).json().title, 't4999')
  refused(t, await patch(path, ...titles, { op: 'remove', path: 'title' }), 400, 'invalidValue', '5 001 operations')
})

t.test('a path with an id that no user can have is 404', async (t) => {
  const { send } = await scimApp(t)
  for (const id of ['unknown', 'a'.repeat(99), '%00', '..%2f..', "'%20or%20true", '%F0%9F%99%82', '__proto__']) {
    for (const folder of ['Users', 'Groups', 'Schemas', 'ResourceTypes']) {
      refused(t, await send('GET', `/${folder}/${id}`), 404, undefined, `${folder}/${id}`)
    }
  }
})
