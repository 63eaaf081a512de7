import { defineConfig } from 'vite'

export default defineConfig({
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: 'es2022',
    modulePreload: false,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    cssCodeSplit: false,
    rollupOptions: {
      input: 'src/main.tsx',
      // The server knows the names; the page has no other file.
      output: { entryFileNames: 'start.js', assetFileNames: 'start[extname]', codeSplitting: false }
    }
  }
})
