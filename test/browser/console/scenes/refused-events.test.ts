import t from 'tap'

import { keptEvents, seedSource, sendShopEvents } from '../../../helpers/console-events.js'
import { playScenes } from '../../../helpers/scenes.js'

t.test('the pages of refused events', (t) => {
  const ids: Record<string, string> = {}
  return playScenes(t, {
    async prepare (parts) {
      const source = await seedSource(parts)
      await seedSource(parts, { name: 'Help centre', keep_refused: false })
      await sendShopEvents(source)
      for (const { id, code } of await keptEvents(source, 8)) ids[code] = id
      return undefined
    },
    scenes: [
      {
        name: 'refused-events',
        path: 'console/refused-events',
        arrange: (page) => page.getByRole('link', { name: 'Origin not allowed' }).first().waitFor()
      },
      {
        name: 'refused-events-off',
        path: 'console/refused-events?code=FORBIDDEN',
        arrange: (page) => page.getByRole('heading', { name: /do(es)? not keep refused events/ }).waitFor()
      },
      {
        name: 'refused-events-error',
        path: 'console/refused-events',
        intercept: (page) => page.route('**/v1/admin/refused-events?*', (route) => route.fulfill({
          status: 503, json: { error: { code: 'UNAVAILABLE', message: 'The database does not respond' } }
        })),
        arrange: (page) => page.getByRole('alert').waitFor(),
        unpictured: true
      },
      {
        name: 'refused-event-origin',
        path: () => `console/refused-events/${ids['ORIGIN_NOT_ALLOWED']}`,
        arrange: (page) => page.getByRole('button', { name: /^Allow / }).waitFor()
      },
      {
        name: 'refused-event-allow',
        path: () => `console/refused-events/${ids['ORIGIN_NOT_ALLOWED']}`,
        arrange: async (page) => {
          await page.getByRole('button', { name: /^Allow / }).click()
          await page.getByRole('dialog').waitFor()
        }
      },
      {
        name: 'refused-event-invalid',
        path: () => `console/refused-events/${ids['INVALID_REQUEST']}`,
        arrange: async (page) => {
          await page.getByRole('button', { name: 'Replay the event' }).click()
          await page.getByText(/Still refused/).waitFor()
        }
      },
      {
        name: 'refused-events-replay',
        path: 'console/refused-events?code=ORIGIN_NOT_ALLOWED&origin=https%3A%2F%2Fstaging.example.com',
        arrange: async (page) => {
          await page.getByRole('button', { name: 'Replay all…' }).click()
          await page.getByRole('dialog').getByRole('button', { name: 'Replay all' }).click()
          await page.getByText('No event is valid yet.').waitFor()
        }
      }
    ]
  })
})
