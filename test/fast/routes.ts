import { runFiles } from '../helpers/run-files.js'

await runFiles(['test/routes'], { except: ['test/routes/admin', 'test/routes/ingestion'] })
