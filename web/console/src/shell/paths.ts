import { HOME } from '../api/transport.ts'

/**
 * Returns the URL of a page of the console. A host chooses the path of the console, so a link is never written by hand.
 *
 * @example
 * <a href={at('sources')}>Sources</a>
 * <a href={at('sources/:id', { id })}>{name}</a>
 */
export function at (page: string, parameters: Readonly<Record<string, string>> = {}): string {
  return HOME + page.replace(/:(\w+)/g, (_match, name: string) => encodeURIComponent(parameters[name] ?? ''))
}
