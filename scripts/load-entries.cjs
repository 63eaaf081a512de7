// Loads every entry of the installed package by require() and by import(), which must return the same module.
const assert = require('node:assert')

const entries = process.argv[2].split(',')

async function main () {
  for (const entry of entries) assert.equal(require(entry).default, (await import(entry)).default, entry)
  console.log(`${entries.length} entries load by require() and import()`)

  const app = require('fastify')()
  app.register(require('fastify-gatehouse/ingestion').default)
  const { statusCode, body } = await app.inject('/d.js')
  assert.equal(statusCode, 200)
  assert.match(body, /data-pipeline-key/)
  await app.close()
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
