import { existsSync, readFileSync } from 'node:fs'

/** The version in the package's own package.json: one folder up from the sources, two from what is built of them. */
export const VERSION: string = readVersion()

function readVersion (): string {
  const file = [new URL('../package.json', import.meta.url), new URL('../../package.json', import.meta.url)].find((url) => existsSync(url))
  if (file === undefined) throw new Error('The package.json of fastify-gatehouse is missing')
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
