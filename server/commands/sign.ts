import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'

import { parseServerSecret, signBody, signTimestampedBody } from '../../signing/datafly/body-signature.js'
import type { Values } from './command.js'

// The secret is no argument: those can be read by every user of the machine.
export async function sign ({ file, timestamped }: Values): Promise<void> {
  const secret = process.env.SERVER_SECRET
  if (secret === undefined || secret === '') throw new Error('sign needs the source\'s server secret in SERVER_SECRET')
  const key = parseServerSecret(secret)
  const body = typeof file === 'string' ? await readFile(file) : await buffer(process.stdin)
  if (timestamped === true) {
    const timestamp = String(Date.now())
    console.log(`X-Timestamp: ${timestamp}\nX-Signature: ${signTimestampedBody(key, timestamp, body)}`)
  } else console.log(`X-Datafly-Signature: ${signBody(key, body)}`)
}
