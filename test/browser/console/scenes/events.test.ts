import t from 'tap'

import { SHOP, seedSource, sendShopEvents } from '../../../helpers/console-events.js'
import type { SeededSource } from '../../../helpers/console-events.js'
import { playScenes } from '../../../helpers/scenes.js'

t.test('the pages of events', (t) => {
  let source: SeededSource
  let eventId = ''
  return playScenes(t, {
    async prepare (parts) {
      source = await seedSource(parts)
      await sendShopEvents(source)
      const { data } = await source.admin<{ data: Array<{ id: string }> }>('GET', 'events?event=Order%20Completed')
      eventId = data[0]?.id ?? ''
      return undefined
    },
    scenes: [
      {
        name: 'events-live',
        path: 'console/events',
        arrange: async (page) => {
          await page.getByText('Live', { exact: true }).last().waitFor()
          await page.getByText(/accepted and/).waitFor()
          await sendShopEvents(source)
          await page.getByRole('button', { name: /Refused/ }).first().waitFor()
        }
      },
      {
        name: 'events-live-open',
        path: 'console/events?outcome=accepted',
        arrange: async (page) => {
          await page.getByText(/accepted and/).waitFor()
          await source.send({ type: 'track', event: 'Order Completed', userId: 'usr_4821', properties: { total: 129.9 } }, SHOP)
          await page.getByRole('button', { name: /Order Completed/ }).click()
          await source.send({ type: 'page', name: 'Home', userId: 'usr_4821' }, SHOP)
          await page.getByRole('button', { name: 'Continue (1 new)' }).waitFor()
        }
      },
      {
        name: 'events-live-empty',
        path: 'console/events?type=alias',
        arrange: (page) => page.getByText(/accepted and/).waitFor()
      },
      {
        name: 'events-live-error',
        path: 'console/events',
        intercept: (page) => page.route('**/v1/admin/events/live*', (route) => route.fulfill({
          status: 429,
          headers: { 'Retry-After': '30' },
          json: { error: { code: 'TOO_MANY_CONNECTIONS', message: 'You have too many live views open' } }
        })),
        arrange: (page) => page.getByRole('alert').waitFor(),
        unpictured: true
      },
      {
        name: 'events-stored',
        path: 'console/events?tab=stored',
        arrange: (page) => page.getByRole('link', { name: 'Order Completed' }).first().waitFor()
      },
      {
        name: 'events-stored-none',
        path: 'console/events?tab=stored&user_id=nobody&from=2026-01-01T00:00:00.000Z',
        arrange: (page) => page.getByText('No event matches').waitFor()
      },
      {
        name: 'events-stored-error',
        path: 'console/events?tab=stored',
        intercept: (page) => page.route('**/v1/admin/events?*', (route) => route.fulfill({
          status: 503, json: { error: { code: 'UNAVAILABLE', message: 'The event store does not respond' } }
        })),
        arrange: (page) => page.getByRole('alert').waitFor(),
        unpictured: true
      },
      {
        name: 'event',
        path: () => `console/events/${encodeURIComponent(eventId)}`,
        arrange: (page) => page.getByRole('heading', { name: 'As JSON' }).waitFor()
      },
      {
        name: 'events-export',
        path: 'console/events?tab=stored',
        arrange: async (page) => {
          await page.getByRole('link', { name: 'Order Completed' }).first().waitFor()
          await page.getByRole('button', { name: 'Export…' }).click()
          await page.getByRole('dialog').waitFor()
        }
      }
    ]
  })
})
