import { randomBytes } from 'node:crypto'

import { EXPIRED_TOKEN, INVALID_OPTIONS, INVALID_TOKEN } from '../../../lib/errors.js'
import { sha256Hex } from '../../../signing/digest.js'
import { parseUrl } from '../../../signing/parse-url.js'
import type { SecretBox } from '../../../signing/secret-box.js'

/** The uses of links. A token is valid for one use only. */
export type LinkPurpose = 'invitation' | 'password reset' | 'email change'

/** A link to mail. */
export interface Link {
  url: string
  token: string
  /** Hex SHA-256 of the token, to store. */
  digest: string
  /** Epoch milliseconds. */
  expiresAt: number
}

/** Creates and reads the links in mails. */
export interface Links {
  create (purpose: LinkPurpose): Link
  /** Returns the digest of a token. Throws `INVALID_TOKEN` or `EXPIRED_TOKEN`. */
  digestOf (purpose: LinkPurpose, token: string): string
}

/** Lifetimes, in milliseconds. */
export const LINK_TTL: Readonly<Record<LinkPurpose, number>> = {
  invitation: 7 * 86_400_000,
  'password reset': 30 * 60_000,
  // Two mailboxes must be read, and the second one may be an address that is read once a day.
  'email change': 86_400_000
}

const PAGES: Readonly<Record<LinkPurpose, string>> = {
  invitation: 'accept',
  'password reset': 'reset',
  'email change': 'email'
}
const ID_BYTES = 32

/**
 * Tokens are random ids with an expiry, sealed under the keys of the admin tokens, so that only tokens of this server
 * reach the store. `[current, …previous]` secrets keep earlier links valid. The token is in the fragment of the URL,
 * which browsers do not send to servers or in `Referer`.
 */
export function createLinks (
  { box, linkUrl, now }: { box: SecretBox, linkUrl: string, now: () => number }
): Links {
  const contextOf = (purpose: LinkPurpose) => `link: ${purpose}`

  return {
    create (purpose) {
      const expiresAt = now() + LINK_TTL[purpose]
      const token = box.seal(`${randomBytes(ID_BYTES).toString('base64url')}.${expiresAt}`, contextOf(purpose))
      return { url: `${linkUrl}#/${PAGES[purpose]}?token=${token}`, token, digest: sha256Hex(token), expiresAt }
    },

    digestOf (purpose, token) {
      let text: string
      try {
        text = box.open(token, contextOf(purpose)).toString()
      } catch (cause) {
        throw invalidLink('not a token of this purpose', cause)
      }
      if (Number(text.split('.')[1]) <= now()) throw new EXPIRED_TOKEN({ message: 'The link has expired' })
      return sha256Hex(token)
    }
  }
}

/** Creates the error for a link that was never valid, or is no longer valid. */
export function invalidLink (reason: string, cause?: unknown): InstanceType<typeof INVALID_TOKEN> {
  return new INVALID_TOKEN({
    message: 'The link is not valid; it may have been used or replaced',
    reason,
    ...cause === undefined ? {} : { cause }
  })
}

/** Returns the option without a trailing `#`. Throws `INVALID_OPTIONS`. */
export function linkUrlOf (linkUrl: unknown): string {
  const url = typeof linkUrl === 'string' ? parseUrl(linkUrl) : null
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.hash !== '' || url.username !== '') {
    throw new INVALID_OPTIONS(
      'admin-users: "linkUrl" must be the http or https URL, without a fragment, of the page that the mailed links ' +
        'open, such as https://app.example.com/account'
    )
  }
  return url.href.replace(/#$/, '')
}
