import type { Tag } from './tags'
import { warn } from './warn'

const KEY = /^dk_(?:live|test)_[\w-]{6,128}$/
const NAME = /^[A-Za-z_$][\w$]*$/

/**
 * The settings of a page: attributes of the script tag, or parameters of the script's URL with the same names without
 * `data-`.
 */
export interface Settings {
  /** `data-pipeline-key`, or `key` in the URL; empty: an `init` call has to give it. */
  key: string
  /** Where batches go: beside the script itself. */
  endpoint: string
  /** `data-global`: the name of the collector on `window`. */
  global: string
  /** `data-auto-page`: whether page views are noticed. */
  autoPage: boolean
  /** `data-page-views`: whether another path is another page view, or any other URL. */
  pageViews: 'path' | 'url'
  /** `data-hash`: whether another fragment is another page. */
  hash: boolean
  /** `data-gpc="respect"`, or any other value, so that a misspelt one counts: obey Global Privacy Control. */
  respectGpc: boolean
  /** `data-identity="cookie"`: the server's cookie gives events their `anonymousId`, not the page's storage. */
  cookieIdentity: boolean
  /** Why no event can be sent; `null`: nothing is wrong. */
  fault: string | null
}

export function readSettings ({ src, dataset }: Tag): Settings {
  const url = /^https?:/.test(src) ? new URL(src) : null
  const setting = (name: string): string | undefined => {
    const parameter = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
    return dataset[name] ?? url?.searchParams.get(parameter) ?? undefined
  }
  const inUrl = url?.searchParams.get('key') ?? ''
  const key = dataset['pipelineKey'] || inUrl
  if (inUrl !== '' && inUrl !== key) warn('data-pipeline-key is in use: the other key in the script\'s URL is ignored')
  const global = setting('global') ?? '_df'
  const pageViews = setting('pageViews') ?? 'path'
  const isName = NAME.test(global)

  return {
    key,
    // Relative, so that the batches keep the prefix of the script.
    endpoint: url === null ? '' : new URL('v1/batch', src).href,
    global: isName ? global : '_df',
    autoPage: setting('autoPage') !== 'false',
    pageViews: pageViews === 'url' ? 'url' : 'path',
    hash: setting('hash') === 'true',
    respectGpc: setting('gpc') !== undefined,
    cookieIdentity: setting('identity') === 'cookie',
    fault: (key === '' || isKey(key) ? null : 'data-pipeline-key or "key" in the script\'s URL is no pipeline key') ??
      (url === null ? 'the script has no src' : null) ??
      (isName ? null : 'data-global is no name') ??
      (/^(?:path|url)$/.test(pageViews) ? null : 'data-page-views must be "path" or "url"')
  }
}

/** Whether it has the form of a pipeline key, a generated one or one that was brought along. */
export function isKey (value: unknown): value is string {
  return typeof value === 'string' && KEY.test(value)
}
