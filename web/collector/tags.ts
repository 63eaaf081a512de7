import { ofDocument } from './of-document'

/** A script tag of the collector, or the URL if a tag manager has removed the tag. */
export interface Tag {
  src: string
  dataset: DOMStringMap
}

/**
 * The tags that the running script belongs to. A module runs once for all tags with its URL, any other script once for
 * each tag.
 */
export function ownTags (): Tag[] {
  const script = currentScript()
  if (script !== null) return [script]
  const url = ownUrl()
  const tags = [...document.querySelectorAll('script')].filter(({ src, type }) => type === 'module' && src === url)
  if (tags.length > 0) return tags
  // The script's URL is unknown, redirected, or imported by another module.
  const keyed = document.querySelector<HTMLScriptElement>('script[data-pipeline-key]')
  return [keyed ?? { src: url, dataset: {} }]
}

/** Returns `null` in a module. Script loaders that run scripts later define the property on the document. */
function currentScript (): HTMLScriptElement | null {
  for (const script of [document.currentScript, ofDocument('currentScript')]) {
    if (script instanceof HTMLScriptElement) return script
  }
  return null
}

/** Returns the URL of the running script from the first frame of a stack, without line and column. */
function ownUrl (): string {
  return /https?:\/\/.+?(?=:\d+:\d+)/.exec(String(new Error().stack))?.[0] ?? ''
}
