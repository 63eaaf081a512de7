// What runs in browsers, bundled beside its sources.
import './build-collector.mjs'
import './build-browser.mjs'
