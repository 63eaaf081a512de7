import { readdir, stat } from 'node:fs/promises'

import t from 'tap'

// The files run without PostgreSQL, Redis, NATS and browsers, whether the machine has them or not.
process.env.TEST_SERVICES = 'off'

type Teardown = () => unknown

const ROOT = new URL('../../', import.meta.url)

/**
 * Runs test files in this process, one after another: loading the suite takes longer than most tests. A folder stands
 * for the test files in it other than `*.full.test.ts`, which only `npm run test:all` runs; `except` names files and
 * folders that run elsewhere.
 *
 * @example await runFiles(['test/lib'], { except: ['test/lib/nats'] })
 */
export async function runFiles (
  places: readonly string[],
  { except = [] }: { except?: readonly string[] } = {}
): Promise<void> {
  t.setTimeout(0)
  Object.assign(t, {
    setTimeout () {
      throw new Error('a test file that runs with others must not limit the time of all; limit that of a test')
    }
  })
  const teardowns = collectTeardowns()
  for (const place of places) {
    for (const file of await testFiles(place)) {
      if (except.some((other) => file === other || file.startsWith(`${other}/`))) continue
      await import(new URL(file, ROOT).href)
      // Resolves after all tests of the file, so that no two files run at the same time.
      await t.test(file, async (t) => {
        t.pass()
      })
    }
  }
  await t.test('teardown', async (t) => {
    for (const teardown of teardowns.reverse()) await teardown()
    t.pass()
  })
  t.end()
}

/** Collects the teardowns of the root test: with one of its own, the root test would end between two files. */
function collectTeardowns (): Teardown[] {
  const teardowns: Teardown[] = []
  Object.assign(t, { teardown: (teardown: Teardown) => teardowns.push(teardown) })
  return teardowns
}

async function testFiles (place: string): Promise<string[]> {
  const url = new URL(place, ROOT)
  if ((await stat(url)).isFile()) return [place]
  const names = await readdir(url, { recursive: true })
  return names.filter((name) => name.endsWith('.test.ts') && !name.endsWith('.full.test.ts')).sort().map((name) =>
    `${place}/${name}`
  )
}
