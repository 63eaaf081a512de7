// Bundles the browser code next to its sources.
import './build-collector.mjs'
import './build-browser.mjs'
