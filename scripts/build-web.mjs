// Bundles the browser code next to its sources. One after the other: pages contain the files of the first two.
await import('./build-collector.mjs')
await import('./build-browser.mjs')
await import('./build-console.mjs')
await import('./build-start-page.mjs')
await import('./build-guide.mjs')
