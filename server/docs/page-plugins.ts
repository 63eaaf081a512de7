interface System { readonly React: { createElement (type: string, properties: null, text: string): unknown } }
interface Plugin { readonly fn?: object, readonly [part: string]: unknown }
type Tree = null | string | number | boolean | readonly Tree[] | { readonly [key: string]: Tree }

/** The global of Swagger UI in its page. */
declare const SwaggerUIBundle: { readonly plugins: { readonly DownloadUrl: (system: System) => Plugin } }

/**
 * A plugin of Swagger UI that follows references within the document. The resolver of Swagger UI itself converts the
 * whole document for each operation that a reader opens, which blocks the page for seconds. The plugin also loads the
 * document, because a list of plugins replaces the one of `@fastify/swagger-ui`.
 *
 * `@fastify/swagger-ui` writes the source code of this function into the page: it must not use anything outside.
 */
export function localReferences (system: System): Plugin {
  const at = (tree: Tree, path: readonly string[]): Tree =>
    path.reduce<Tree>((part, key) => (part as Record<string, Tree> | undefined)?.[key] ?? null, tree)
  const keysOf = (pointer: string): string[] =>
    pointer.slice(2).split('/').map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
  const resolve = (document: Tree, tree: Tree): Tree => {
    if (tree === null || typeof tree !== 'object') return tree
    if (Array.isArray(tree)) return (tree as readonly Tree[]).map((item) => resolve(document, item))
    const { $ref } = tree as Record<string, Tree>
    if (typeof $ref === 'string') return resolve(document, at(document, keysOf($ref)))
    return Object.fromEntries(Object.entries(tree).map(([key, value]) => [key, resolve(document, value)]))
  }
  const download = SwaggerUIBundle.plugins.DownloadUrl(system)
  return {
    ...download,
    fn: {
      ...download.fn,
      resolveSubtree: async (document: Tree, path: readonly string[]) => ({
        spec: resolve(document, at(document, path)),
        errors: []
      })
    }
  }
}

/**
 * A plugin of Swagger UI that shows the name of an operation without a link in it: the name stands in a button, which
 * opens the operation and writes its address into the location. Also written into the page.
 */
export function namesWithoutLinks ({ React }: System): Plugin {
  return { components: { DeepLink: ({ text }: { text: string }) => React.createElement('span', null, text) } }
}
