import { readFile } from 'node:fs/promises'

const INDEX = new URL('../../web/console/src/pages/index.ts', import.meta.url)

/** The paths of the console without a parameter, as `PAGES` lists them. */
export async function pagePaths (): Promise<string[]> {
  const source = await readFile(INDEX, 'utf8')
  return [...source.matchAll(/^ {4}path: '([^':]*)',$/gm)].map(([, path = '']) => path)
}
