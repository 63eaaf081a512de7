import { readFile } from 'node:fs/promises'

/** The files that the pages load, by path. */
const SCRIPTS = {
  '/guest-token.js': new URL('public/guest-token.js', import.meta.url).href,
  '/proxied.js': new URL('public/proxied.js', import.meta.url).href,
  '/keep-token.js': import.meta.resolve('fastify-gatehouse/browser'),
  '/databrain.js': import.meta.resolve('@databrainhq/plugin/web')
}

/** @param {import('fastify').FastifyInstance} app */
export function registerScripts (app) {
  for (const [path, url] of Object.entries(SCRIPTS)) {
    app.get(path, async (_request, reply) => reply.type('text/javascript').send(await readFile(new URL(url))))
  }
}

/**
 * A page with one dashboard. `window.dbn` is set before the component loads.
 *
 * @param {object} dbn
 * @param {string} dashboard
 * @param {string} script
 */
export function dashboardPage (dbn, dashboard, script) {
  return `<!doctype html>
<title>Dashboard</title>
<script>window.dbn = ${JSON.stringify(dbn).replaceAll('<', '\\u003c')}</script>
<script type="importmap">{ "imports": { "fastify-gatehouse/browser": "/keep-token.js" } }</script>
<script type="module" src="${script}"></script>
<script type="module" src="/databrain.js"></script>
<dbn-dashboard token="by-proxy" dashboard-id="${encodeURIComponent(dashboard)}"></dbn-dashboard>
`
}
