import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'

import { parseServerSecret, signBody, signTimestampedBody } from '../../signing/datafly/body-signature.js'
import type { Values } from './command.js'

// The secret is not an argument, because every user of the machine can read the arguments of a process.
export async function sign ({ file, timestamped }: Values): Promise<void> {
  const secret = process.env.SERVER_SECRET
  if (secret === undefined || secret === '') {
    throw new Error("sign requires the source's server secret in SERVER_SECRET")
  }
  const key = parseServerSecret(secret)
  const body = typeof file === 'string' ? await readFile(file) : await buffer(process.stdin)
  if (timestamped === true) {
    const timestamp = String(Date.now())
    console.log(`X-Timestamp: ${timestamp}\nX-Signature: ${signTimestampedBody(key, timestamp, body)}`)
  } else console.log(`X-Datafly-Signature: ${signBody(key, body)}`)
}
