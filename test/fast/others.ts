import { runFiles } from '../helpers/run-files.js'

// Each folder that another file of this folder runs, and those that only `npm run test:all` runs.
const elsewhere = ['lib', 'signing', 'schemas', 'routes', 'plugins', 'server', 'product-pages', 'browser', 'faults',
  'sdk', 'stores']

await runFiles(['test'], { except: elsewhere.map((folder) => `test/${folder}`) })
