import { sha256 } from '../../signing/digest.js'

/** What stands for a text in the name of a key: it may be secret, long, or somebody's address; and any text is another, lone surrogates included. */
export function nameDigest (text: string): string {
  return sha256(Buffer.from(text, 'utf16le')).toString('base64url')
}
