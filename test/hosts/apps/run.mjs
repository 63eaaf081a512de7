// node run.mjs <host> <order>: starts a host app, asks it, and prints what it answered as one line of JSON.
const [, , name, order] = process.argv
const { default: host } = await import(`./${name}.mjs`)
process.stdout.write(JSON.stringify(await host(order)))
