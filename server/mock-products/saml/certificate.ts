import { generateKeyPair, randomBytes, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { promisify } from 'node:util'

import { certificatePem, der, objectId } from './der.js'

const SHA256_WITH_RSA = der(0x30, objectId('2a864886f70d01010b'), der(0x05))
const COMMON_NAME = objectId('550403')
const [UTC_TIME, GENERALIZED_TIME] = [0x17, 0x18]
const DAY = 86_400_000
const LIFETIME = 3_650 * DAY

/** A private key and its self-signed certificate. */
export interface SigningPair {
  privateKey: KeyObject
  /** PEM. */
  certificate: string
}

/**
 * Creates an RSA key of 2048 bits and its self-signed certificate (X.509 v1, SHA-256), valid from a day ago for ten
 * years. SAML uses the certificate only to transport the key.
 */
export async function createSigningPair (commonName: string, now: number): Promise<SigningPair> {
  const { privateKey, publicKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 })
  const name = der(0x30, der(0x31, der(0x30, COMMON_NAME, der(0x0c, Buffer.from(commonName)))))
  // A serial number is positive: its first byte is less than 128.
  const serial = Buffer.concat([Buffer.from([1]), randomBytes(15)])
  const body = der(
    0x30,
    der(0x02, serial),
    SHA256_WITH_RSA,
    name,
    der(0x30, time(now - DAY), time(now - DAY + LIFETIME)),
    name,
    publicKey.export({ type: 'spki', format: 'der' })
  )
  const signature = der(0x03, Buffer.from([0]), sign('sha256', body, privateKey))
  return { privateKey, certificate: certificatePem(der(0x30, body, SHA256_WITH_RSA, signature)) }
}

/** The signing pairs of a provider: it signs with the newest, and publishes the newest and the previous one. */
export class SigningPairs {
  #pairs: readonly [newest: SigningPair, ...previous: SigningPair[]]
  readonly #now: () => number

  private constructor (first: SigningPair, now: () => number) {
    this.#pairs = [first]
    this.#now = now
  }

  static async create (now: () => number): Promise<SigningPairs> {
    return new SigningPairs(await createSigningPair('mock-saml-provider', now()), now)
  }

  get newest (): SigningPair {
    return this.#pairs[0]
  }

  /** The certificates, newest first. */
  get certificates (): readonly string[] {
    return this.#pairs.map(({ certificate }) => certificate)
  }

  /** Signs with a new pair from now on. */
  async rotate (): Promise<void> {
    const pair = await createSigningPair('mock-saml-provider', this.#now())
    this.#pairs = [pair, this.#pairs[0]]
  }
}

/** RFC 5280 prescribes UTCTime for dates before 2050. */
function time (epoch: number): Buffer {
  const digits = new Date(epoch).toISOString().replace(/\.\d+|[^0-9]/g, '')
  return digits < '2050'
    ? der(UTC_TIME, Buffer.from(`${digits.slice(2)}Z`))
    : der(GENERALIZED_TIME, Buffer.from(`${digits}Z`))
}
