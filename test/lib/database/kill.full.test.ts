import t from 'tap'

import { folderWithDatabase } from '../../helpers/database-folder.js'
import { startChild } from './fixtures/child.js'

t.test('acknowledged rows survive ten kill -9, and each following start takes over the folder', async (t) => {
  const dataDir = await folderWithDatabase(t)
  let acknowledged = 0
  for (let kill = 0; kill <= 10; kill++) {
    const writer = startChild(t, 'write-rows.ts', [dataDir])
    const { count, last } = JSON.parse(await writer.firstLine ?? 'null') as { count: number, last: number }
    t.ok(last >= acknowledged && count === last, `${acknowledged} acknowledged, ${count} there, up to ${last}`)
    await new Promise((resolve) => setTimeout(resolve, 100 + 40 * kill))
    await writer.kill()
    acknowledged = writer.lines.length > 1 ? Number(writer.lines.at(-1)) : last
  }
  t.ok(acknowledged > 10, `${acknowledged} rows in all`)
})
