import t from 'tap'

import { scimApp } from '../../../helpers/scim.js'

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

t.test('pages of users and groups have the total, the first index and the number of resources', async (t) => {
  const { send, provision, addGroup } = await scimApp(t)
  const ids: string[] = []
  const groups: string[] = []
  for (let at = 0; at < 5; at++) {
    ids.push(await provision(`user-${at}@example.com`))
    groups.push(await addGroup(`Group ${at}`))
  }
  const table: Array<[query: string, from: number, to: number, startIndex: number]> = [
    ['', 0, 5, 1],
    ['startIndex=1&count=2', 0, 2, 1],
    ['startIndex=3&count=2', 2, 4, 3],
    ['startIndex=5&count=2', 4, 5, 5],
    ['startIndex=6&count=2', 5, 5, 6],
    ['startIndex=0&count=1', 0, 1, 1],
    ['startIndex=-7&count=1000000000', 0, 5, 1],
    ['count=0', 0, 0, 1],
    ['count=-5', 0, 0, 1],
    ['startIndex=1000000000', 5, 5, 1_000_000_000]
  ]
  for (const [query, from, to, startIndex] of table) {
    for (const [path, all] of [['/Users', ids], ['/Groups', groups]] as const) {
      const page = (await send('GET', `${path}?${query}`)).json()
      t.same(
        [page.Resources.map((each: { id: string }) => each.id), page.totalResults, page.startIndex, page.itemsPerPage],
        [all.slice(from, to), 5, startIndex, to - from],
        `${path}?${query}`
      )
    }
  }
})

t.test('attributes and excludedAttributes select what a read returns, in any case', async (t) => {
  const { send, provision, addGroup } = await scimApp(t)
  const id = await provision('ann@example.com', {
    name: { givenName: 'Ann', familyName: 'Lee' },
    emails: [{ value: 'ann@example.com', type: 'work' }],
    [ENTERPRISE]: { department: 'Sales', division: 'North' }
  })
  const group = await addGroup('Staff', [id])
  const table: Array<[query: string, keys: string[]]> = [
    ['attributes=userName', ['schemas', 'id', 'userName']],
    ['attributes=USERNAME,emails.value', ['schemas', 'id', 'userName', 'emails']],
    ['attributes=urn:ietf:params:scim:schemas:core:2.0:User:userName', ['schemas', 'id', 'userName']],
    [`attributes=${ENTERPRISE}:department`, ['schemas', 'id', ENTERPRISE]],
    ['attributes=unknown', ['schemas', 'id']],
    ['excludedAttributes=id,schemas,meta,groups,roles,emails,name,active', ['schemas', 'id', 'userName', ENTERPRISE]]
  ]
  for (const [query, keys] of table) {
    const user = (await send('GET', `/Users/${id}?${query}`)).json()
    t.same(Object.keys(user).sort(), keys.toSorted(), query)
    const [listed] = (await send('GET', `/Users?${query}`)).json().Resources
    t.same(listed, user, query)
  }
  const part = (await send('GET', `/Users/${id}?attributes=name.givenName,${ENTERPRISE}:division`)).json()
  t.same([part.name, part[ENTERPRISE]], [{ givenName: 'Ann' }, { division: 'North' }])
  const without = (await send('GET', `/Users/${id}?excludedAttributes=name.givenName`)).json()
  t.same(without.name, { familyName: 'Lee' })
  const ids = (await send('GET', `/Groups/${group}?attributes=members.value`)).json()
  t.same(ids.members, [{ value: id }])
  t.same(Object.keys((await send('GET', `/Groups/${group}?excludedAttributes=Members,meta`)).json()), [
    'schemas', 'id', 'displayName'
  ])
  const created = await send('POST', '/Users?attributes=userName', { userName: 'bob@example.com' })
  t.same(Object.keys(created.json()), ['schemas', 'id', 'userName'])
})

t.test('the discovery routes describe the routes, the limits and all attributes', async (t) => {
  const { send } = await scimApp(t)
  const config = (await send('GET', '/ServiceProviderConfig')).json()
  t.match(config, {
    patch: { supported: true },
    bulk: { supported: false },
    filter: { supported: true, maxResults: 200 },
    changePassword: { supported: false },
    sort: { supported: false },
    etag: { supported: false },
    authenticationSchemes: [{ type: 'oauthbearertoken' }],
    meta: { resourceType: 'ServiceProviderConfig', location: 'http://localhost:80/scim/v2/ServiceProviderConfig' }
  })
  for (const path of ['/ResourceTypes', '/Schemas']) {
    const { Resources: resources, totalResults } = (await send('GET', path)).json()
    t.equal(totalResults, resources.length)
    for (const resource of resources) {
      t.same((await send('GET', `${path}/${resource.id}`)).json(), resource)
      t.equal(resource.meta.location, `http://localhost:80/scim/v2${path}/${resource.id}`)
    }
  }
  const { Resources: schemas } = (await send('GET', '/Schemas')).json()
  t.same(schemas.map(({ name }: { name: string }) => name), ['User', 'EnterpriseUser', 'Group'])
  const names = schemas[0].attributes.map(({ name }: { name: string }) => name)
  for (const name of ['userName', 'emails', 'active', 'roles', 'groups']) t.ok(names.includes(name), name)
})

t.test('the address of a resource has the prefixes of the plugin and of the host', async (t) => {
  const { app, key } = await scimApp(t, { scim: { prefix: '/directory' } })
  const headers = { authorization: `Bearer ${key}`, host: 'app.example.com' }
  const created = await app.inject({
    method: 'POST', url: '/directory/Users', headers, payload: { userName: 'ann@example.com' }
  })
  t.equal(created.statusCode, 201)
  t.equal(created.json().meta.location, `http://app.example.com/directory/Users/${created.json().id}`)
})
