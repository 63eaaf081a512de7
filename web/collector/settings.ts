const KEY = /^dk_(?:live|test)_[0-9A-Za-z]{32}$/
const NAME = /^[A-Za-z_$][\w$]*$/

/** What the page says in the attributes of the script tag. */
export interface Settings {
  /** `data-pipeline-key`. */
  key: string
  /** Where batches go: beside the script itself. */
  endpoint: string
  /** `data-global`: the name of the collector on `window`. */
  global: string
  /** `data-auto-page`: whether page views are noticed. */
  autoPage: boolean
  /** `data-hash`: whether another fragment is another page. */
  hash: boolean
  /** `data-gpc="respect"`, or any other value, as who misspells it means it too: whether a visitor's Global Privacy Control is obeyed. */
  respectGpc: boolean
  /** `data-identity="cookie"`: the server's cookie gives events their `anonymousId`, not the page's storage. */
  cookieIdentity: boolean
  /** What is wrong with them, `null` if nothing is. */
  fault: string | null
}

export function readSettings (): Settings {
  // A module has no current script.
  const script = (document.currentScript ?? document.querySelector('script[data-pipeline-key]')) as HTMLScriptElement | null
  const { pipelineKey = '', global = '_df', autoPage, hash, gpc, identity } = script?.dataset ?? {} as DOMStringMap
  const src = script?.src ?? ''
  const isName = NAME.test(global)

  return {
    key: pipelineKey,
    // Relative, so that a prefix before the one is before the other.
    endpoint: src === '' ? '' : new URL('v1/batch', src).href,
    global: isName ? global : '_df',
    autoPage: autoPage !== 'false',
    hash: hash === 'true',
    respectGpc: gpc !== undefined,
    cookieIdentity: identity === 'cookie',
    fault: !KEY.test(pipelineKey)
      ? 'data-pipeline-key is missing or no pipeline key'
      : src === '' ? 'the script has no src' : isName ? null : 'data-global is no name'
  }
}
