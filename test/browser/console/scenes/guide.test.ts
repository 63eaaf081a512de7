import t from 'tap'

import { playScenes } from '../../../helpers/scenes.js'

t.test('the guide and the API documentation', (t) => playScenes(t, {
  prepare: async () => 'nobody',
  scenes: [
    {
      name: 'guide',
      path: 'guide',
      arrange: (page) => page.getByRole('heading', { name: 'fastify-gatehouse', level: 1 }).waitFor()
    },
    {
      name: 'guide-page',
      path: 'guide/ingestion',
      arrange: (page) => page.getByRole('heading', { name: 'ingestion', level: 1 }).waitFor()
    },
    {
      name: 'guide-search',
      path: 'guide/ingestion',
      async arrange (page) {
        await page.keyboard.press('/')
        await page.keyboard.type('rotate')
        await page.getByRole('option').first().waitFor()
      }
    },
    {
      name: 'guide-menu',
      path: 'guide/',
      async arrange (page) {
        if ((page.viewportSize()?.width ?? 0) > 860) return
        await page.getByRole('button', { name: 'Pages' }).click()
        await page.getByLabel('Pages of the guide').getByRole('link', { name: 'ingestion', exact: true }).waitFor()
      },
      unpictured: true
    },
    {
      name: 'api',
      path: 'docs',
      arrange: (page) => page.getByRole('button', { name: 'Authorize' }).waitFor()
    },
    {
      name: 'api-authorize',
      path: 'docs',
      async arrange (page) {
        await page.getByRole('button', { name: 'Authorize' }).click()
        await page.getByText('pipelineKey (http, Bearer)').waitFor()
      },
      unpictured: true
    },
    {
      name: 'api-operation',
      path: 'docs#/embedding/guestToken',
      async arrange (page) {
        await page.getByRole('button', { name: 'Try it out' }).click()
        await page.getByRole('button', { name: 'Execute' }).click()
        await page.locator('.live-responses-table').getByText('401').first().waitFor()
      }
    }
  ]
}))
