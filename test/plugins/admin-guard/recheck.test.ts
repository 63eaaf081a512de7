import t from 'tap'

import adminGuard, { recheckAdmin } from '../../../plugins/admin-guard/index.js'
import { SECRET, adminApp } from '../../helpers/admin.js'
import { caller } from '../../helpers/admin-caller.js'

t.test('recheckAdmin fails with FORBIDDEN once the role no longer allows the route', async (t) => {
  let demote = async () => {}
  const admin = await adminApp(t, {
    before: async (app) => {
      await app.register(async (scope) => {
        await scope.register(adminGuard, { jwtSecrets: [SECRET] })
        scope.get('/v1/admin/long', { config: { gatehouse: { admin: { roles: ['owner'] } } } }, async (request) => {
          const { role } = await recheckAdmin(request)
          await demote()
          return {
            role,
            then: await recheckAdmin(request).then((found) => found.role, (error: { code: string }) => error.code)
          }
        })
      })
    }
  })
  const owner = await caller(admin, 'owner')
  t.same((await owner.get('/long')).json(), { role: 'owner', then: 'owner' })
  demote = async () => {
    await admin.addUser('another@example.com', 'owner')
    await admin.store.members.update('default', owner.userId, { role: 'admin' })
  }
  t.same((await owner.get('/long')).json(), { role: 'owner', then: 'FORBIDDEN' })
})
