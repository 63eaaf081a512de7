import { randomBytes } from 'node:crypto'

import type { FastifyInstance } from 'fastify'
import type { Static } from '@sinclair/typebox'

import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server'
import { INVALID_CREDENTIALS, INVALID_REQUEST } from '../../../lib/errors.js'
import type { GatehouseError } from '../../../lib/errors.js'
import { importOptionalLater } from '../../../lib/optional-package.js'
import type { NewPasskey, Passkey } from '../../../contracts/token-store/index.js'
import type { CredentialSchema, NewCredentialSchema } from '../../../schemas/admin-mfa.js'
import { sha256 } from '../../../signing/digest.js'
import { printableLine } from '../../../signing/printable-line.js'
import type { PasskeyOptions } from './passkey-options.js'

export type NewCredential = Static<typeof NewCredentialSchema>
export type Credential = Static<typeof CredentialSchema>

/** The options that a browser needs, and the token that has to come back with its response. */
export interface Challenge {
  options: object
  challenge_token: string
}

/** The purpose of a challenge, and the login or session that it belongs to. */
export interface Purpose {
  name: 'register' | 'verify' | 'step-up' | 'login'
  /** Id of the login or the session; the empty string for a login without a password. */
  of: string
}

/** Registers and verifies passkeys. */
export interface Passkeys {
  registrationOptions (
    user: { id: string, email: string },
    known: readonly Passkey[],
    purpose: Purpose
  ): Promise<Challenge>
  /** Returns the passkey of a registration. Throws `INVALID_REQUEST`. */
  register (
    user: { id: string },
    name: string,
    credential: NewCredential,
    challenge: { token: string, purpose: Purpose }
  ): Promise<NewPasskey>
  /** Returns the options for the passkeys of a user; with `null` the user chooses one, and has to be verified. */
  authenticationOptions (known: readonly Passkey[] | null, purpose: Purpose): Promise<Challenge>
  /** Returns the passkey that signed the challenge; `null` if the proof is wrong, and `onRefusal` gets the reason. */
  verify (
    credential: Credential,
    challenge: { token: string, purpose: Purpose },
    onRefusal: (reason: string) => void
  ): Promise<Passkey | null>
}

interface Settings extends Required<PasskeyOptions> {
  now: () => number
}

const LIFETIME = 300_000
const CHALLENGE_BYTES = 32
const MAX_REASON = 200
/** EdDSA, ES256 and RS256, which all authenticators support. */
const ALGORITHMS = [-8, -7, -257]

/** Throws an Error without `@simplewebauthn/server`. */
export async function createPasskeys (scope: FastifyInstance, settings: Settings): Promise<Passkeys> {
  const { rpId: rpID, rpName, origins, now } = settings
  const { box } = scope.adminTokens
  const { tokenStore } = scope
  const loadWebauthn = await importOptionalLater(
    '@simplewebauthn/server',
    () => import('@simplewebauthn/server'),
    'The passkey login of administrators'
  )
  const expected = { expectedOrigin: [...origins], expectedRPID: rpID }

  function createChallenge (purpose: Purpose) {
    const challenge = randomBytes(CHALLENGE_BYTES)
    const content = { challenge: challenge.toString('base64url'), exp: now() + LIFETIME }
    return { bytes: Uint8Array.from(challenge), token: box.seal(JSON.stringify(content), contextOf(purpose)) }
  }

  /** Uses the challenge of a token up, and returns it. Throws `refusal` for an invalid, expired or used token. */
  async function openChallenge (token: string, purpose: Purpose, refusal: (reason: string) => GatehouseError) {
    const { challenge, exp } = readChallenge(token, purpose) ?? { challenge: '', exp: 0 }
    if (exp <= now()) throw refusal('the challenge_token is not readable or has expired')
    const isNew = await tokenStore.claim(`passkey challenge ${challenge}`, LIFETIME)
    if (!isNew) throw refusal('the challenge was used before')
    return challenge
  }

  function readChallenge (token: string, purpose: Purpose): { challenge: string, exp: number } | null {
    try {
      return JSON.parse(box.open(token, contextOf(purpose)).toString()) as { challenge: string, exp: number }
    } catch {
      return null
    }
  }

  return {
    async registrationOptions ({ id, email }, known, purpose) {
      const { generateRegistrationOptions } = await loadWebauthn()
      const { bytes, token } = createChallenge(purpose)
      const options = await generateRegistrationOptions({
        rpName,
        rpID,
        userName: email,
        userID: Uint8Array.from(sha256(id)),
        challenge: bytes,
        timeout: LIFETIME,
        attestationType: 'none',
        excludeCredentials: known.map(describe),
        authenticatorSelection: { residentKey: 'preferred', userVerification: 'preferred' },
        supportedAlgorithmIDs: ALGORITHMS
      })
      return { options, challenge_token: token }
    },

    async register ({ id: userId }, name, credential, { token, purpose }) {
      const expectedChallenge = await openChallenge(token, purpose, refusedRegistration)
      const { verifyRegistrationResponse } = await loadWebauthn()
      const { registrationInfo } = await verifyRegistrationResponse({
        ...expected,
        response: credential as RegistrationResponseJSON,
        expectedChallenge,
        // A login without a password verifies the user later; as a second factor presence is enough.
        requireUserVerification: false,
        supportedAlgorithmIDs: ALGORITHMS
      }).catch((error: Error) => { throw refusedRegistration(error.message) })
      if (registrationInfo === undefined) throw refusedRegistration('not verified')
      const { id: credentialId, publicKey, counter } = registrationInfo.credential
      return {
        userId,
        credentialId,
        publicKey: Buffer.from(publicKey).toString('base64url'),
        counter,
        transports: credential.response.transports ?? [],
        name
      }
    },

    async authenticationOptions (known, purpose) {
      const { generateAuthenticationOptions } = await loadWebauthn()
      const { bytes, token } = createChallenge(purpose)
      const options = await generateAuthenticationOptions({
        rpID,
        challenge: bytes,
        timeout: LIFETIME,
        ...known === null ? {} : { allowCredentials: known.map(describe) },
        userVerification: known === null ? 'required' : 'preferred'
      })
      return { options, challenge_token: token }
    },

    async verify (credential, { token, purpose }, onRefusal) {
      const expectedChallenge = await openChallenge(token, purpose, refusedProof)
      const passkey = await tokenStore.factors.findPasskey(credential.id)
      if (passkey === null) return refuse('unknown credential')
      const { userHandle } = credential.response
      const handle = sha256(passkey.userId).toString('base64url')
      if (purpose.name === 'login' ? userHandle !== handle : userHandle != null && userHandle !== handle) {
        return refuse('the user handle belongs to another user')
      }
      const { verifyAuthenticationResponse } = await loadWebauthn()
      const result = await verifyAuthenticationResponse({
        ...expected,
        response: credential as unknown as AuthenticationResponseJSON,
        expectedChallenge,
        credential: {
          id: passkey.credentialId,
          publicKey: Uint8Array.from(Buffer.from(passkey.publicKey, 'base64url')),
          counter: passkey.counter
        },
        requireUserVerification: purpose.name === 'login'
      }).catch((error: Error) => error)
      if (result instanceof Error) return refuse(result.message)
      if (!result.verified) return refuse('signature')
      const { newCounter } = result.authenticationInfo
      return await tokenStore.factors.usePasskey(passkey.credentialId, newCounter) ? passkey : refuse('counter')

      function refuse (reason: string): null {
        onRefusal(printableLine(reason, MAX_REASON))
        return null
      }
    }
  }
}

function describe ({ credentialId: id, transports }: Passkey) {
  return { id, transports }
}

function contextOf ({ name, of }: Purpose): string {
  return `passkey ${name} ${of}`
}

function refusedRegistration (reason: string): GatehouseError {
  return new INVALID_REQUEST({
    message: 'The passkey could not be registered; try again',
    reason: printableLine(reason, MAX_REASON)
  })
}

function refusedProof (reason: string): GatehouseError {
  return new INVALID_CREDENTIALS({ message: 'The passkey was not accepted; try again', reason })
}
