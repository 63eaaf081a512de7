import { runFiles } from '../helpers/run-files.js'

await runFiles(['test/lib', 'test/signing', 'test/schemas'])
