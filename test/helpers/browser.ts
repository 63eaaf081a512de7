import { access } from 'node:fs/promises'
import type t from 'tap'

import { chromium } from 'playwright-core'
import type { Browser } from 'playwright-core'
import { SERVICES_OFF, withoutService } from './services.js'

type Test = Pick<typeof t, 'teardown' | 'pass'>

/** Renders as Chromium does, but draws no window, which takes half of the processor time of a test. */
const HEADLESS_SHELL = '/usr/bin/chromium-headless-shell'
const PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/**
 * Chromium, closed after the test. Where there is none it skips the test with the reason and gives `null`; with
 * REQUIRE_SERVICES=1 it fails instead.
 */
export async function openBrowser (test: Test, { backForwardCache = false } = {}): Promise<Browser | null> {
  // The headless shell has no back-forward cache.
  const paths = [process.env.CHROMIUM_PATH ?? '', ...backForwardCache ? [] : [HEADLESS_SHELL], ...PATHS]
  for (const executablePath of SERVICES_OFF ? [] : paths) {
    if (executablePath === '' || !await access(executablePath).then(() => true, () => false)) continue
    const browser = await chromium.launch({
      executablePath,
      args: ['--headless', '--no-sandbox', '--disable-background-networking'],
      // Playwright turns it off.
      ...(backForwardCache ? { ignoreDefaultArgs: ['--disable-back-forward-cache'] } : {})
    })
    test.teardown(() => browser.close())
    return browser
  }
  return withoutService(test, 'no Chromium: neither CHROMIUM_PATH nor one in /usr/bin')
}
