import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/**
 * Runs module code in a child process in which the named packages are not installed: to resolve one of them fails
 * with Node's own error.
 * Resolves with what the code printed.
 */
export async function runWithout (packages: readonly string[], code: string): Promise<string> {
  const hook = `
    const hidden = ${JSON.stringify(packages)}
    export async function resolve (specifier, context, next) {
      const name = hidden.find((each) => specifier === each || specifier.startsWith(each + '/'))
      if (name === undefined) return await next(specifier, context)
      throw Object.assign(new Error(\`Cannot find package '\${name}' imported from \${context.parentURL}\`), { code: 'ERR_MODULE_NOT_FOUND' })
    }`
  const script = `
    import { register } from 'node:module'
    register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hook)}))
    await import('data:text/javascript,' + encodeURIComponent(${JSON.stringify(code)}))`
  const { stdout } = await run(process.execPath, [...process.execArgv, '--input-type=module', '--eval', script], {
    maxBuffer: 50_000_000
  })
  return stdout
}
