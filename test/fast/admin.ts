import { runFiles } from '../helpers/run-files.js'

await runFiles(['test/routes/admin'])
