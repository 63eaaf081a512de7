import { ApiError } from './errors.ts'
import type { Body } from './paths.ts'

type Options = Record<string, unknown>
type NewCredential = Body<'post', 'auth/mfa/passkeys'>['credential']
type Credential = Body<'post', 'auth/passkey/login'>['credential']

/** Whether the browser and the address of the page allow passkeys: they belong to a domain, not to an address. */
export function allowsPasskeys (): boolean {
  return typeof PublicKeyCredential === 'function' && 'parseRequestOptionsFromJSON' in PublicKeyCredential &&
    !/^(?:[\d.]+|\[.*\])$/.test(document.location.hostname)
}

/** Lets the user create a passkey. Throws `ApiError` with a message for the user. */
export async function createPasskey (options: Options): Promise<NewCredential> {
  const json = options as unknown as PublicKeyCredentialCreationOptionsJSON
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(json)
  return jsonOf(await navigator.credentials.create({ publicKey }).catch(explain)) as NewCredential
}

/** Lets the user prove a passkey. Throws `ApiError` with a message for the user. */
export async function provePasskey (options: Options): Promise<Credential> {
  const json = options as unknown as PublicKeyCredentialRequestOptionsJSON
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(json)
  return jsonOf(await navigator.credentials.get({ publicKey }).catch(explain)) as Credential
}

function jsonOf (credential: unknown): unknown {
  if (!(credential instanceof PublicKeyCredential)) throw failure('The browser returned no passkey.')
  return credential.toJSON()
}

function explain (error: unknown): never {
  const name = error instanceof Error ? error.name : ''
  if (name === 'InvalidStateError') throw failure('This device already has a passkey for the account.')
  if (name === 'NotAllowedError') throw failure('The passkey was cancelled, or took too long. Try again.')
  throw failure('The browser cannot use a passkey here.')
}

function failure (message: string): ApiError {
  return new ApiError(message, { status: 0, code: 'PASSKEY' })
}
