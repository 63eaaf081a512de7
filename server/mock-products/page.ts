import { readFileSync } from 'node:fs'

import type { FastifyInstance } from 'fastify'

import { packageFile } from '../../lib/package-file.js'

const STYLE = readFileSync(packageFile('server/mock-products/assets/mock-product.css'))

export interface MockPage {
  title: string
  /** Trusted HTML. */
  body: string
  /** The name of one of the mock product's scripts. */
  script?: string
}

/** Serves the style sheet and the named scripts from memory. */
export function serveAssets (app: FastifyInstance, scripts: readonly string[]): void {
  app.get('/mock-product.css', (_request, reply) => reply.type('text/css; charset=utf-8').send(STYLE))
  for (const name of scripts) {
    const script = readFileSync(packageFile(`server/mock-products/assets/${name}`))
    app.get(`/${name}`, (_request, reply) =>
      reply
        // A page of another origin may import it as a module.
        .header('Access-Control-Allow-Origin', '*')
        .type('text/javascript; charset=utf-8')
        .send(script))
  }
}

export function page ({ title, body, script }: MockPage): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/mock-product.css">
${script === undefined ? '' : `<script type="module" src="/${script}"></script>`}
<body>
${body}
</body>
</html>
`
}

/** Returns the page of a refused request. */
export function refusal (title: string, reason: string): string {
  return page({ title, body: `<main class="refusal"><h1>${escapeHtml(title)}</h1><p>${escapeHtml(reason)}</p></main>` })
}

export function escapeHtml (text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}
