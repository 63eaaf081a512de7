import type { Tag } from './tags'
import { warn } from './warn'

const KEY = /^dk_(?:live|test)_[\w-]{6,128}$/
const NAME = /^[A-Za-z_$][\w$]*$/

/**
 * The settings of a page: attributes of the script tag, or parameters of the script's URL with the same names without
 * `data-`.
 */
export interface Settings {
  /** `data-pipeline-key`, or `key` in the URL; if empty, an `init` call must set it. */
  key: string
  /** The URL for batches, relative to the script's URL. */
  endpoint: string
  /** `data-global`: the name of the collector on `window`. */
  global: string
  /** `data-auto-page`: whether page views are recorded automatically. */
  autoPage: boolean
  /** `data-page-views`: whether a new path or any new URL is a new page view. */
  pageViews: 'path' | 'url'
  /** `data-hash`: whether a new fragment is a new page. */
  hash: boolean
  /** `data-gpc` with any value, so that a misspelt one also applies: respect Global Privacy Control. */
  respectGpc: boolean
  /** `data-identity="cookie"`: the `anonymousId` comes from the server's cookie instead of the page's storage. */
  cookieIdentity: boolean
  /** Why no events can be sent; `null`: the settings are valid. */
  problem: string | null
}

export function readSettings ({ src, dataset }: Tag): Settings {
  const url = /^https?:/.test(src) ? new URL(src) : null
  const setting = (name: string): string | undefined => {
    const parameter = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
    return dataset[name] ?? url?.searchParams.get(parameter) ?? undefined
  }
  const inUrl = url?.searchParams.get('key') ?? ''
  const key = dataset['pipelineKey'] || inUrl
  if (inUrl !== '' && inUrl !== key) warn("data-pipeline-key is set: the different key in the script's URL is ignored")
  const global = setting('global') ?? '_df'
  const pageViews = setting('pageViews') ?? 'path'
  const isName = NAME.test(global)

  return {
    key,
    // Relative, to keep the prefix of the script.
    endpoint: url === null ? '' : new URL('v1/batch', src).href,
    global: isName ? global : '_df',
    autoPage: setting('autoPage') !== 'false',
    pageViews: pageViews === 'url' ? 'url' : 'path',
    hash: setting('hash') === 'true',
    respectGpc: setting('gpc') !== undefined,
    cookieIdentity: setting('identity') === 'cookie',
    problem:
      (key === '' || isKey(key) ? null : 'data-pipeline-key or "key" in the script\'s URL is not a pipeline key') ??
        (url === null ? 'the script has no src' : null) ??
        (isName ? null : 'data-global is not a valid name') ??
        (/^(?:path|url)$/.test(pageViews) ? null : 'data-page-views must be "path" or "url"')
  }
}

/** Returns whether a value has the form of a pipeline key. */
export function isKey (value: unknown): value is string {
  return typeof value === 'string' && KEY.test(value)
}
