import { defineConfig } from 'vite'

const DEV = {
  __BASE__: '/',
  __API__: '../v1/admin/',
  __FEATURES__: 'sso mfa passkeys users keys',
  __GUIDE__: '',
  __TITLE__: 'Gatehouse'
}

export default defineConfig({
  // The URLs of assets are relative, because a host chooses the path of the console.
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    cssCodeSplit: false,
    // The Content-Security-Policy forbids data: in scripts and styles.
    assetsInlineLimit: 0,
    reportCompressedSize: false
  },
  // `npm run console`: the pages with hot reload, and the API of a server that runs on port 3000.
  server: { port: 5173, proxy: { '/v1': 'http://127.0.0.1:3000' } },
  plugins: [{
    name: 'placeholders',
    apply: 'serve',
    transformIndexHtml: (html) => html.replace(/__[A-Z]+__/g, (name) => DEV[name] ?? name)
  }]
})
