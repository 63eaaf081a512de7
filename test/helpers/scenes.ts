import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import type { Page } from 'playwright-core'
import type { Test } from 'tap'

import { COLOR_RULES, openConsole, overflow, violations } from './console.js'
import type { Console, ConsoleOptions } from './console.js'

/** One state of one page, as a user sees it. */
export interface Scene {
  /** Also the name of the screenshot: `sources-empty`. */
  name: string
  /** Below the origin: `console/sources`. */
  path: string | (() => string)
  /** Before the page is opened, for example to answer a request with an error. */
  intercept?: (page: Page) => Promise<unknown>
  /** Brings the page into the state and waits for it. */
  arrange: (page: Page) => Promise<unknown>
  /** No screenshot in `docs/screenshots`: the state looks like another one. */
  unpictured?: true
}

export interface Subject {
  options?: ConsoleOptions
  /** Stores what the scenes show. Returns who looks at them. Default: the owner of the first start. */
  prepare?: (parts: Console) => Promise<{ email: string, password: string } | 'nobody' | undefined>
  scenes: readonly Scene[]
}

const SIZES = {
  desktop: { width: 1280, height: 800 },
  phone: { width: 390, height: 844 }
}
const NARROW = { width: 320, height: 640 }

/**
 * Opens each scene and looks at it in the sizes of a desktop and a phone, light and dark: axe-core finds nothing, the
 * policy reports nothing, nothing scrolls sideways, also not at 320 pixels. With SCREENSHOTS=<folder> it writes a
 * picture of each.
 */
export async function playScenes (t: Test, { options, prepare, scenes }: Subject): Promise<void> {
  t.setTimeout(300_000)
  const parts = await openConsole(t, options)
  if (parts === null) return
  const viewer = await prepare?.(parts)
  // One page for all scenes, because each page takes half a second to start.
  const { page } = parts
  if (viewer !== 'nobody') {
    await page.goto(parts.at('profile'))
    await parts.signIn(viewer?.email, viewer?.password)
    await page.getByRole('heading', { name: 'Profile' }).waitFor()
  }
  for (const scene of scenes) {
    // Leaves the page before it, also if the paths differ only in their fragments.
    await page.goto('about:blank')
    await page.unrouteAll({ behavior: 'ignoreErrors' })
    await page.mouse.move(0, 0)
    await page.setViewportSize(SIZES.desktop)
    await page.emulateMedia({ colorScheme: 'light' })
    await scene.intercept?.(page)
    const path = typeof scene.path === 'string' ? scene.path : scene.path()
    await page.goto(`${parts.origin}/${path}`)
    await scene.arrange(page)
    for (const [size, viewport] of Object.entries(SIZES)) {
      await page.setViewportSize(viewport)
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme })
        // The listeners of a page for the color scheme run before the next frame.
        await page.evaluate('new Promise(requestAnimationFrame)')
        const name = `${scene.name}-${size}-${colorScheme}`
        // The themes differ only in colours.
        const rules = colorScheme === 'light' ? undefined : COLOR_RULES
        t.same(await violations(page, rules), [], `${name}: axe-core finds nothing`)
        t.equal(await overflow(page), 0, `${name}: nothing scrolls sideways`)
        if (scene.unpictured !== true) await picture(page, name)
      }
    }
    await page.setViewportSize(NARROW)
    t.equal(await overflow(page), 0, `${scene.name}: nothing scrolls sideways at ${NARROW.width} pixels`)
  }
  // An error that a scene shows on purpose.
  const complaints = parts.complaints.filter((text) => !/status of 5\d\d/.test(text))
  t.same(complaints, [], 'no error in the console of the browser, and no request to another host')
}

/** WebP, which Playwright cannot write but Chromium can: a third of the size of PNG. */
async function picture (page: Page, name: string): Promise<void> {
  const folder = process.env.SCREENSHOTS
  if (folder === undefined) return
  await mkdir(folder, { recursive: true })
  const session = await page.context().newCDPSession(page)
  const { width, height } = page.viewportSize() ?? SIZES.desktop
  // The part of the page that is on the screen. All pictures together are smaller than 5 MB.
  const clip = { x: 0, y: await page.evaluate<number>('scrollY'), width, height, scale: width > 1_000 ? 0.75 : 1 }
  const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: 25, clip })
  await session.detach()
  await writeFile(join(folder, `${name}.webp`), Buffer.from(data, 'base64'))
}
