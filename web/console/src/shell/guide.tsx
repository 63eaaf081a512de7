import type { ComponentChildren } from 'preact'

const REPOSITORY = 'https://github.com/fastify-gatehouse/fastify-gatehouse/blob/main/docs/'

/** Where this app serves the guide; `null`: nowhere. */
export const GUIDE = guideOf(document.querySelector<HTMLMetaElement>('meta[name=gatehouse-guide]')?.content ?? '')

function guideOf (path: string): string | null {
  return path === '' ? null : new URL(path, document.baseURI).href
}

/** A link to a page of the documentation, in a tab of its own: `page` is `scim` or `sso-okta#saml`. */
export function GuideLink ({ page, children }: { page: string, children: ComponentChildren }) {
  const [name, fragment] = page.split('#')
  const href = (GUIDE === null ? `${REPOSITORY}${name}.md` : `${GUIDE}/${name}`) +
    (fragment === undefined ? '' : `#${fragment}`)
  return <a href={href} target='_blank' rel='noreferrer'>{children}</a>
}
