import type { Page } from 'playwright-core'
import t from 'tap'

import type { Console } from '../../../helpers/console.js'
import { seedSources, sendEvent } from '../../../helpers/console-sources.js'
import type { SeededSources } from '../../../helpers/console-sources.js'
import { playScenes } from '../../../helpers/scenes.js'

let seeded: SeededSources
let parts: Console

const shop = (search = '') => () => `console/sources/${seeded.shop.id}${search}`
const opensMenu = async (page: Page, key: string, item: string) => {
  await page.getByRole('button', { name: `Actions of ${key}` }).click()
  await page.getByRole('menuitem', { name: item }).click()
  await page.getByRole('dialog').waitFor()
}

t.test('the pages of sources', (t) => playScenes(t, {
  async prepare (opened) {
    parts = opened
    seeded = await seedSources(opened)
    return undefined
  },
  scenes: [
    {
      name: 'sources',
      path: 'console/sources',
      arrange: (page) => page.getByRole('row', { name: /Shop.*9/ }).waitFor()
    },
    {
      name: 'sources-empty',
      path: 'console/sources',
      intercept: (page) =>
        page.route('**/v1/admin/sources?*', (route) => route.fulfill({ json: { data: [], next_cursor: null } })),
      arrange: (page) => page.getByText('No source yet').waitFor()
    },
    {
      name: 'sources-error',
      path: 'console/sources',
      intercept: (page) =>
        page.route('**/v1/admin/sources?*', (route) => route.fulfill({
          status: 503,
          json: { error: { code: 'STORE_UNAVAILABLE', message: 'The database does not respond.' } }
        })),
      arrange: (page) => page.getByRole('alert').waitFor()
    },
    {
      name: 'source-new',
      path: 'console/sources/new',
      arrange: (page) => page.getByRole('heading', { name: 'Name the source' }).waitFor()
    },
    {
      name: 'source-new-domains',
      path: 'console/sources/new?name=Shop&step=domains',
      arrange: async (page) => {
        await page.getByLabel('Domains', { exact: true })
          .fill('shop.example.com\n*.example.com\nhttp://localhost:3000\nhttps://example.com/cart')
        await page.getByText('A domain has no path').waitFor()
      }
    },
    {
      name: 'source-new-waiting',
      path: () => `console/sources/new?step=install&id=${seeded.fresh.id}`,
      arrange: async (page) => {
        await page.getByText('Waiting for the first event').waitFor()
        // Until the live view has begun, a refusal is not seen.
        await refuseUntil(page.getByText('the origin is not allowed').first())
      }
    },
    {
      name: 'source',
      path: shop(),
      arrange: (page) => page.getByText('Events arrive').waitFor()
    },
    {
      name: 'source-not-found',
      path: 'console/sources/src_unknown',
      arrange: (page) => page.getByRole('alert').waitFor()
    },
    {
      name: 'source-keys',
      path: shop('?tab=keys'),
      arrange: (page) => page.getByRole('cell', { name: /^Partner feed/ }).waitFor()
    },
    {
      name: 'source-keys-rotate',
      path: shop('?tab=keys'),
      arrange: (page) => opensMenu(page, 'Main key', 'Rotate…')
    },
    {
      name: 'source-keys-edit',
      path: shop('?tab=keys'),
      arrange: (page) => opensMenu(page, 'Campaign', 'Edit…')
    },
    {
      name: 'source-keys-delete',
      path: shop('?tab=keys'),
      arrange: (page) => opensMenu(page, 'Campaign', 'Delete…')
    },
    {
      name: 'source-domains',
      path: shop('?tab=domains'),
      arrange: async (page) => {
        await page.getByLabel('Accept any origin').check()
        await page.getByText('Anyone who knows the pipeline key').waitFor()
      }
    },
    {
      name: 'source-webhooks',
      path: shop('?tab=webhooks'),
      arrange: (page) => page.getByRole('link', { name: 'Payments' }).waitFor()
    },
    {
      name: 'source-webhooks-empty',
      path: () => `console/sources/${seeded.fresh.id}?tab=webhooks`,
      arrange: (page) => page.getByText('No webhook yet').waitFor()
    },
    {
      name: 'source-webhooks-new',
      path: shop('?tab=webhooks'),
      arrange: async (page) => {
        await page.getByRole('button', { name: 'New webhook' }).click()
        await page.getByLabel('Service').selectOption('custom')
        await page.getByLabel('Header with the signature').waitFor()
      }
    },
    {
      name: 'source-webhook',
      path: () => `console/sources/${seeded.shop.id}?tab=webhooks&webhook=${seeded.webhook.id}`,
      arrange: async (page) => {
        await page.getByRole('button', { name: 'Test', exact: true }).click()
        await page.getByText('The delivery becomes one event').waitFor()
      }
    },
    {
      name: 'source-settings',
      path: shop('?tab=settings'),
      arrange: (page) => page.getByText('Almost used up').waitFor()
    }
  ]
}))

async function refuseUntil (shown: ReturnType<Page['getByText']>) {
  for (let tries = 0; tries < 50 && !await shown.isVisible(); tries++) {
    await sendEvent(parts, seeded.fresh.pipeline_key, { event: 'Opened' }, 'https://app.example.com')
    await shown.waitFor({ timeout: 300 }).catch(() => {})
  }
  await shown.waitFor()
}
