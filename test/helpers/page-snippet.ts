import { readFile } from 'node:fs/promises'

/** A code sample or a request of a product's documentation, word for word. */
export async function pageSnippet (name: string): Promise<string> {
  return readFile(new URL(`../product-pages/snippets/${name}.txt`, import.meta.url), 'utf8')
}
