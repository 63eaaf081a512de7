import t from 'tap'
import type { Page } from 'playwright-core'

import { playScenes } from '../../../helpers/scenes.js'

const EMBEDS = ['databrain', 'boldbi', 'dxfeed']

t.test('the start page with its embeds, attacks and events', async (t) => {
  await playScenes(t, {
    options: { productFrames: true },
    prepare: async () => 'nobody',
    scenes: [
      { name: 'start-page', path: '', arrange: loaded },
      {
        name: 'start-page-attacks',
        path: '',
        async arrange (page) {
          await loaded(page)
          for (const [name, title] of [['databrain', 'Wrong proxy key'], ['boldbi', 'Replayed nonce'], ['dxfeed', 'Foreign origin']]) {
            await page.locator(`#${name}`).getByRole('switch', { name: title ?? '' }).click()
            await page.locator(`#${name} .state.bad`).waitFor()
            await page.locator(`#${name} .call.failed`).first().waitFor()
          }
        }
      },
      {
        name: 'start-page-events',
        path: '',
        async arrange (page) {
          await loaded(page)
          for (const [at, way] of ['Pipeline key', 'Pixel', 'Signature'].entries()) {
            await page.getByRole('button', { name: way, exact: true }).click()
            await page.click('#send')
            await page.locator('#response.good').waitFor()
            await page.locator('.stored li').nth(at).waitFor()
          }
          await page.locator('.events .call').first().waitFor()
          await page.locator('#events-title').evaluate((title) => { title.scrollIntoView() })
        }
      }
    ]
  })
})

t.test('the start page without products', async (t) => {
  await playScenes(t, {
    options: { variables: { DATABRAIN: 'off', BOLDBI: 'off', DXFEED: 'off' } },
    prepare: async () => 'nobody',
    scenes: [{
      name: 'start-page-off',
      path: '',
      arrange: async (page) => await page.getByText('This product is disabled.').first().waitFor(),
      unpictured: true
    }]
  })
})

async function loaded (page: Page): Promise<void> {
  for (const name of EMBEDS) await page.locator(`#${name} .state.good`).waitFor()
  await page.locator('#dxfeed svg rect').first().waitFor()
}
