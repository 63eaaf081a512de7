import { runFiles } from '../helpers/run-files.js'

await runFiles(['test/plugins'])
