import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)
const MARK = 'loaded: '

// Runs in the loader's thread, which has no other way to the outside.
const HOOK = `
  import { writeSync } from 'node:fs'
  export async function load (url, context, next) {
    writeSync(1, ${JSON.stringify(MARK)} + url + '\\n')
    return await next(url, context)
  }`

/**
 * Runs module code in a process of its own, by the loaders of this one, and gives back the names of all packages that
 * it loaded,
 * by import or by require.
 */
export async function packagesLoadedBy (code: string): Promise<Set<string>> {
  const script = `
    import { register, Module } from 'node:module'
    register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(HOOK)}))
    await import('data:text/javascript,' + encodeURIComponent(${JSON.stringify(code)}))
    for (const path of Object.keys(Module._cache)) console.log(${JSON.stringify(MARK)} + path)`
  const { stdout } = await run(process.execPath, [...process.execArgv, '--input-type=module', '--eval', script], {
    maxBuffer: 50_000_000
  })
  const names = stdout.split('\n').filter((line) => line.startsWith(MARK)).map((line) =>
    /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(line)?.[1]
  )
  return new Set(names.filter((name) => name !== undefined))
}
