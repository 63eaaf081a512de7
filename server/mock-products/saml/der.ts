/** Returns a DER value (ITU-T X.690) with the tag and the joined contents, which must be shorter than 64 KB. */
export function der (tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents)
  const length = content.length < 128
    ? [content.length]
    : content.length < 256 ? [0x81, content.length] : [0x82, content.length >> 8, content.length & 255]
  return Buffer.concat([Buffer.from([tag, ...length]), content])
}

/** Returns the DER form of an object identifier, given as the hex digits of its content. */
export function objectId (hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'))
}

/** Returns the PEM form of a certificate. */
export function certificatePem (certificate: Buffer): string {
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}
