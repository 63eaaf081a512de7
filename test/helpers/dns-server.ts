import { createSocket } from 'node:dgram'
import { once } from 'node:events'

import type { Test } from 'tap'

/** What a name server answers: the strings of TXT records, or an error code of DNS (2: SERVFAIL, 3: NXDOMAIN). */
export type DnsAnswer = ReadonlyArray<readonly string[]> | 2 | 3 | 'silent'

export interface DnsServer {
  /** Such as `127.0.0.1:53123`. */
  address: string
  /** By name, in lower case. A name without an answer does not exist. */
  answers: Map<string, DnsAnswer>
  /** The names that were asked for. */
  asked: string[]
}

/** Starts a name server for TXT records on a free UDP port. */
export async function dnsServer (t: Test): Promise<DnsServer> {
  const answers = new Map<string, DnsAnswer>()
  const asked: string[] = []
  const socket = createSocket('udp4')
  socket.on('message', (query, { port, address }) => {
    const { name, end } = questionOf(query)
    asked.push(name)
    const answer = answers.get(name) ?? 3
    if (answer === 'silent') return
    socket.send(responseTo(query.subarray(0, end), answer), port, address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.teardown(() => socket.close())
  return { address: `127.0.0.1:${socket.address().port}`, answers, asked }
}

/** RFC 1035, section 4.1.2. */
function questionOf (query: Buffer): { name: string, end: number } {
  const labels: string[] = []
  let at = 12
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('ascii', at + 1, at + 1 + length))
    at += length + 1
  }
  return { name: labels.join('.').toLowerCase(), end: at + 5 }
}

function responseTo (question: Buffer, answer: Exclude<DnsAnswer, 'silent'>): Buffer {
  const header = Buffer.from(question.subarray(0, 12))
  const records = typeof answer === 'number' ? [] : answer
  header.writeUInt16BE(0x8180 | (typeof answer === 'number' ? answer : 0), 2)
  header.writeUInt16BE(records.length, 6)
  header.writeUInt32BE(0, 8)
  return Buffer.concat([header, question.subarray(12), ...records.map(txtRecord)])
}

function txtRecord (strings: readonly string[]): Buffer {
  const data = Buffer.concat(strings.map((text) => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)])))
  // The name of the question, TXT, IN, a life of 1 s.
  const head = Buffer.from([0xc0, 0x0c, 0, 16, 0, 1, 0, 0, 0, 1, 0, 0])
  head.writeUInt16BE(data.length, 10)
  return Buffer.concat([head, data])
}
