import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'

const [PRESENT, VERIFIED, WITH_KEY] = [0x01, 0x04, 0x40]
const AAGUID = Buffer.alloc(16)

/** The faults of a forged registration or proof. */
export interface Changes {
  origin?: string
  rpId?: string
  type?: string
  challenge?: string
  present?: boolean
  verified?: boolean
  counter?: number
  userHandle?: string | null
}

interface CreationOptions {
  challenge: string
  rp: { id?: string }
  user: { id: string }
}

interface RequestOptions {
  challenge: string
  rpId?: string
}

/** A browser and an authenticator without hardware: an ES256 credential, as WebAuthn level 3 describes it. */
export class SoftAuthenticator {
  readonly #origin: string
  readonly #key = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  readonly #id = randomBytes(32)
  #userHandle: string | null = null
  /** The counter of the last signature. Stays 0 until a test sets it. */
  counter = 0

  constructor (origin: string) {
    this.#origin = origin
  }

  create ({ challenge, rp, user }: CreationOptions, changes: Changes = {}) {
    this.#userHandle = user.id
    const { x = '', y = '' } = this.#key.publicKey.export({ format: 'jwk' })
    const key = cborMap([
      [cborInt(1), cborInt(2)],
      [cborInt(3), cborInt(-7)],
      [cborInt(-1), cborInt(1)],
      [cborInt(-2), cborBytes(Buffer.from(x, 'base64url'))],
      [cborInt(-3), cborBytes(Buffer.from(y, 'base64url'))]
    ])
    const length = Buffer.alloc(2)
    length.writeUInt16BE(this.#id.length)
    const data = Buffer.concat([
      this.#authenticatorData(rp.id ?? '', WITH_KEY, changes), AAGUID, length, this.#id, key
    ])
    const attestation = cborMap([
      [cborText('fmt'), cborText('none')],
      [cborText('attStmt'), cborMap([])],
      [cborText('authData'), cborBytes(data)]
    ])
    return {
      ...this.#credential(),
      response: {
        clientDataJSON: this.#clientData('webauthn.create', challenge, changes),
        attestationObject: attestation.toString('base64url'),
        transports: ['internal']
      }
    }
  }

  get ({ challenge, rpId = '' }: RequestOptions, changes: Changes = {}) {
    const data = this.#authenticatorData(rpId, 0, changes)
    const clientDataJSON = this.#clientData('webauthn.get', challenge, changes)
    const hash = createHash('sha256').update(Buffer.from(clientDataJSON, 'base64url')).digest()
    const { userHandle = this.#userHandle } = changes
    return {
      ...this.#credential(),
      response: {
        clientDataJSON,
        authenticatorData: data.toString('base64url'),
        signature: sign('sha256', Buffer.concat([data, hash]), this.#key.privateKey).toString('base64url'),
        ...userHandle === null ? {} : { userHandle }
      }
    }
  }

  #credential () {
    const id = this.#id.toString('base64url')
    return { id, rawId: id, type: 'public-key', clientExtensionResults: {} }
  }

  #authenticatorData (rpId: string, flags: number, changes: Changes): Buffer {
    const { present = true, verified = true, counter = this.counter } = changes
    const rest = Buffer.alloc(5)
    rest.writeUInt8(flags | (present ? PRESENT : 0) | (verified ? VERIFIED : 0))
    rest.writeUInt32BE(counter, 1)
    return Buffer.concat([createHash('sha256').update(changes.rpId ?? rpId).digest(), rest])
  }

  #clientData (type: string, challenge: string, changes: Changes): string {
    const data = {
      type: changes.type ?? type,
      challenge: changes.challenge ?? challenge,
      origin: changes.origin ?? this.#origin,
      crossOrigin: false
    }
    return Buffer.from(JSON.stringify(data)).toString('base64url')
  }
}

function cborHead (major: number, value: number): Buffer {
  if (value < 24) return Buffer.from([(major << 5) | value])
  if (value < 256) return Buffer.from([(major << 5) | 24, value])
  return Buffer.from([(major << 5) | 25, value >> 8, value & 255])
}

function cborInt (value: number): Buffer {
  return value < 0 ? cborHead(1, -1 - value) : cborHead(0, value)
}

function cborBytes (value: Buffer): Buffer {
  return Buffer.concat([cborHead(2, value.length), value])
}

function cborText (value: string): Buffer {
  return Buffer.concat([cborHead(3, value.length), Buffer.from(value)])
}

function cborMap (entries: ReadonlyArray<readonly [Buffer, Buffer]>): Buffer {
  return Buffer.concat([cborHead(5, entries.length), ...entries.flat()])
}
