// Prints the test files that `npm test` leaves out, in whole or in part: those of browsers, SDKs, faults and stores,
// those named *.full.test.ts, and those that use PostgreSQL, Redis, NATS or another program.
import { readdirSync, readFileSync } from 'node:fs'

const FOLDERS = /^(?:browser|faults|sdk|stores)\//
const SERVICES = /helpers\/(?:balancer|browser|jetstream|nats|nginx|postgres|redis|slow-http-test)\.js'/

const tests = new URL('../test/', import.meta.url)
const files = readdirSync(tests, { recursive: true }).filter((name) => name.endsWith('.test.ts')).sort()
const needsAll = (name) =>
  FOLDERS.test(name) || name.endsWith('.full.test.ts') || SERVICES.test(readFileSync(new URL(name, tests), 'utf8'))
console.log(files.filter(needsAll).map((name) => `test/${name}`).join(' '))
