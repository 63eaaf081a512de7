const TEXT_OPCODE = 1
/** The highest bits of the first and the second byte. */
const FINAL = 0x80
const MASKED = 0x80

export interface Frame {
  opcode: number
  payload: Buffer
}

/**
 * Returns the complete frames (RFC 6455) in the received bytes, and the rest. Fragmented messages are not supported.
 */
export function readFrames (received: Buffer): { frames: Frame[], rest: Buffer } {
  const frames: Frame[] = []
  let rest = received
  for (;;) {
    if (rest.length < 2) return { frames, rest }
    const length = rest.readUInt8(1) & 0x7f
    if (length === 127) throw new Error('a frame of 64 KB or more')
    const head = length === 126 ? 4 : 2
    const isMasked = (rest.readUInt8(1) & MASKED) !== 0
    if (rest.length < head) return { frames, rest }
    const size = length === 126 ? rest.readUInt16BE(2) : length
    const start = head + (isMasked ? 4 : 0)
    if (rest.length < start + size) return { frames, rest }
    const mask = rest.subarray(head, start)
    const payload = Buffer.from(rest.subarray(start, start + size)).map((byte, at) => byte ^ (mask[at % 4] ?? 0))
    frames.push({ opcode: rest.readUInt8(0) & 0x0f, payload: Buffer.from(payload) })
    rest = rest.subarray(start + size)
  }
}

/** Returns the frame of a string under 64 KB, as a server sends it. */
export function textFrame (text: string): Buffer {
  const payload = Buffer.from(text)
  const size = payload.length < 126 ? [payload.length] : [126, payload.length >> 8, payload.length & 0xff]
  return Buffer.concat([Buffer.from([FINAL | TEXT_OPCODE, ...size]), payload])
}
