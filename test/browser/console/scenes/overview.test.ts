import t from 'tap'

import { poster, seedTraffic } from '../../../helpers/console-traffic.js'
import { playScenes } from '../../../helpers/scenes.js'

const chart = '.chart-canvas canvas'

t.test('the overview of an organisation with traffic', (t) => playScenes(t, {
  async prepare (parts) {
    const [shop = '', app = '', , , campaign = ''] = await seedTraffic(parts)
    const post = await poster(parts)
    await post(`sources/${shop}`, { keep_refused: true }, 'PATCH')
    await post(`sources/${app}`, { monthly_quota: 640_000 }, 'PATCH')
    await post(`sources/${campaign}`, { daily_quota: 40 }, 'PATCH')
    const ends = new Date(Date.now() + 3 * 86_400_000).toISOString()
    await post(`sources/${shop}/keys`, { name: 'Black Friday landing page', expires_at: ends })
    return undefined
  },
  scenes: [
    { name: 'overview', path: 'console/', arrange: (page) => page.locator(chart).waitFor() },
    {
      name: 'overview-month',
      path: 'console/?period=30d',
      arrange: async (page) => {
        await page.locator('.chart-canvas').focus()
        for (let key = 0; key < 9; key++) await page.keyboard.press('ArrowLeft')
        await page.locator('.tooltip').waitFor()
      }
    },
    {
      name: 'overview-table',
      path: 'console/',
      arrange: async (page) => {
        await page.getByRole('button', { name: 'Show as table' }).click()
        await page.locator('.chart-table').waitFor()
      }
    },
    {
      name: 'overview-details',
      path: 'console/',
      arrange: async (page) => {
        await page.locator(chart).waitFor()
        await page.getByRole('heading', { name: 'Sign-ins' }).scrollIntoViewIfNeeded()
      }
    },
    {
      name: 'overview-error',
      path: 'console/',
      unpictured: true,
      intercept: (page) => page.route('**/v1/admin/stats?*', (route) => route.fulfill({
        status: 429,
        json: { error: { code: 'RATE_LIMITED', message: 'Too many requests' } }
      })),
      arrange: (page) => page.getByRole('button', { name: 'Try again' }).waitFor()
    }
  ]
}))

t.test('the overview when nothing arrives', (t) => playScenes(t, {
  scenes: [
    {
      name: 'overview-nothing-arrives',
      path: 'console/',
      arrange: (page) => page.getByRole('heading', { name: 'No event has arrived yet' }).waitFor()
    },
    {
      name: 'overview-no-source',
      path: 'console/',
      intercept: (page) =>
        page.route('**/v1/admin/sources?*', (route) => route.fulfill({ json: { data: [], next_cursor: null } })),
      arrange: (page) => page.getByText('No source yet').waitFor()
    },
    {
      name: 'overview-loading',
      path: 'console/',
      unpictured: true,
      intercept: (page) => page.route('**/v1/admin/stats?*', () => {}),
      arrange: (page) => page.locator('.page .skeleton').waitFor()
    }
  ]
}))

t.test('the overview when everything is refused', (t) => playScenes(t, {
  async prepare (parts) {
    const post = await poster(parts)
    const { data: [source] } = await parts.store.sources.list('default', { limit: 1 })
    await post(`sources/${source?.id}`, { keep_refused: true }, 'PATCH')
    for (let event = 0; event < 3; event++) {
      const headers = { authorization: `Bearer ${source?.pipelineKey}`, origin: 'https://new-shop.example.com' }
      await parts.app.inject({ method: 'POST', url: '/v1/t', headers, payload: { userId: 'ann', event: 'Signed Up' } })
    }
    return undefined
  },
  scenes: [{
    name: 'overview-refused',
    path: 'console/',
    arrange: (page) => page.getByText('https://new-shop.example.com').waitFor()
  }]
}))
