import { runFiles } from '../helpers/run-files.js'

await runFiles(['test/server', 'test/product-pages'])
