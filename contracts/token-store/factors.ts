/** A passkey of a user: a WebAuthn credential. */
export interface Passkey {
  id: string
  userId: string
  /** The credential id, base64url. Unique in the deployment. */
  credentialId: string
  /** The COSE public key, base64url. */
  publicKey: string
  /** The signature counter of the last use; 0 if the authenticator does not count. */
  counter: number
  /** How browsers reach the authenticator: `internal`, `usb`, `hybrid` … */
  transports: string[]
  name: string
  /** Epoch milliseconds. */
  createdAt: number
  /** Epoch milliseconds; `null` before the first use. */
  lastUsedAt: number | null
}

/** A passkey to store. */
export type NewPasskey = Omit<Passkey, 'id' | 'createdAt' | 'lastUsedAt'>

/** The second factors of a user. */
export interface UserFactors {
  /** The confirmed authenticator app; `null` without. */
  totp: { confirmedAt: number } | null
  /** Oldest first. */
  passkeys: Passkey[]
  /** Number of unused recovery codes. */
  recoveryCodes: number
}

/**
 * The second factors of users. A user who has an authenticator app or a passkey has a factor; `SessionAccess.hasFactor`
 * changes with it within a second on every instance. Recovery codes are given with the first factor and deleted with
 * the last.
 */
export interface Factors {
  /** Returns the factors of a user; none for an unknown user. */
  get (userId: string): Promise<UserFactors>
  /** Stores a TOTP secret that replaces the confirmed one after its confirmation; `false` for an unknown user. */
  proposeTotp (userId: string, secret: string): Promise<boolean>
  /** Returns the secret that is not confirmed yet. */
  proposedTotp (userId: string): Promise<string | null>
  /**
   * Confirms the proposed secret in one atomic step; `step` is the time step of the code that proved it. The digests of
   * recovery codes are stored if this is the user's first factor; it also unsets `mfaAt` of the sessions that identity
   * providers started, as a factor that the provider checked counts only without one here. Resolves with whether it is
   * the first; `null`, and changes nothing, if `secret` is not the proposed secret.
   */
  confirmTotp (
    userId: string,
    confirmation: { secret: string, step: number, recoveryDigests: readonly string[] }
  ): Promise<{ first: boolean } | null>
  /** Returns the confirmed secret. */
  totpSecret (userId: string): Promise<string | null>
  /** Uses a time step up: resolves with `false` for this step and all earlier ones afterwards. Atomic. */
  useTotpStep (userId: string, step: number): Promise<boolean>
  /**
   * Removes the authenticator app, confirmed or proposed; `false` if there is none. Rejects with `CONFLICT`, and
   * changes nothing, if it is the user's last factor and an organisation of the user requires a second factor.
   */
  removeTotp (userId: string): Promise<boolean>
  /**
   * Adds a passkey. The first factor has the effects that it has with `confirmTotp`. Resolves with `null` for an
   * unknown user. Rejects with `CONFLICT` if the credential is stored already, or if the user has 20 passkeys.
   */
  addPasskey (
    passkey: NewPasskey,
    recoveryDigests: readonly string[]
  ): Promise<{ passkey: Passkey, first: boolean } | null>
  findPasskey (credentialId: string): Promise<Passkey | null>
  /**
   * Stores the counter of a use. Resolves with `false`, and changes nothing, if the counter is not higher than the
   * stored one and one of them is not 0: the authenticator was copied. Atomic.
   */
  usePasskey (credentialId: string, counter: number): Promise<boolean>
  /** Removes a passkey of the user under the same condition as `removeTotp`. Resolves with it. */
  removePasskey (userId: string, id: string): Promise<Passkey | null>
  /** Replaces all recovery codes; `false`, and stores none, if the user has no factor. */
  replaceRecoveryCodes (userId: string, digests: readonly string[]): Promise<boolean>
  /** Uses a recovery code up: exactly one of N concurrent calls with one code resolves with `true`. */
  takeRecoveryCode (userId: string, digest: string): Promise<boolean>
  /** Removes all factors, whatever the organisations require; `false` if there was none. For operators. */
  removeAll (userId: string): Promise<boolean>
}
