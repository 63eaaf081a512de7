import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'

import { LoginBodySchema, MfaToken, TokenPairSchema } from './admin-auth.js'
import { errorReplies } from './error.js'

const tags = ['admin mfa']
const strict = { additionalProperties: false }
const Time = Type.String({ maxLength: 30, description: 'ISO-8601, UTC, milliseconds' })
const NullableTime = Type.Union([Time, Type.Null()])
const Done = Type.Null({ description: 'Done; no body' })
const Code = Type.String({ minLength: 6, maxLength: 40, description: 'A code of the authenticator app or a recovery code' })
const TotpCode = Type.String({ minLength: 6, maxLength: 10, description: 'A code of the authenticator app' })
const ChallengeToken = Type.String({ minLength: 1, maxLength: 2048, description: 'From the options; works once' })
const PasskeyName = Type.String({ minLength: 1, maxLength: 100, pattern: '^[^\\p{Cc}\\p{Cs}]+$' })
const CurrentPassword = Type.Optional(Type.String({
  minLength: 1, maxLength: 1024, description: 'Required for the first factor of an account'
}))
const Base64url = (maxLength: number) => Type.String({ minLength: 1, maxLength, pattern: '^[A-Za-z0-9_-]+$' })

/** A credential as `PublicKeyCredential.toJSON()` returns it. Browsers may add properties. */
const Credential = {
  id: Base64url(2048),
  rawId: Base64url(2048),
  type: Type.Literal('public-key'),
  clientExtensionResults: Type.Object({}, { additionalProperties: true }),
  authenticatorAttachment: Type.Optional(Type.Union([Type.String({ maxLength: 32 }), Type.Null()]))
}
export const NewCredentialSchema = Type.Object({
  ...Credential,
  response: Type.Object({
    clientDataJSON: Base64url(4096),
    attestationObject: Base64url(16_384),
    transports: Type.Optional(Type.Array(Type.String({ maxLength: 32 }), { maxItems: 10 }))
  })
})
export const CredentialSchema = Type.Object({
  ...Credential,
  response: Type.Object({
    clientDataJSON: Base64url(4096),
    authenticatorData: Base64url(4096),
    signature: Base64url(8192),
    userHandle: Type.Optional(Type.Union([Type.String({ maxLength: 128 }), Type.Null()]))
  })
})

export const PasskeySchema = Type.Object({
  id: Type.String({ maxLength: 100 }),
  name: Type.String({ maxLength: 100 }),
  created_at: Time,
  last_used_at: NullableTime
})
export type PasskeyItem = Static<typeof PasskeySchema>

const RecoveryCodes = Type.Array(Type.String({ maxLength: 40 }), {
  maxItems: 10,
  description: 'Ten codes that work once each, shown only here; empty if the account had a factor before'
})

export const MfaStateSchema = Type.Object({
  totp: Type.Union([Type.Object({ confirmed_at: Time }), Type.Null()]),
  passkeys: Type.Array(PasskeySchema, { maxItems: 100 }),
  recovery_codes_left: Type.Integer({ minimum: 0, maximum: 100 }),
  required: Type.Boolean({ description: 'Whether the organisation requires a second factor' }),
  confirmed_at: Type.Union([Time, Type.Null()], { description: 'The last second factor of this session' })
})
export type MfaState = Static<typeof MfaStateSchema>

export const TotpSecretSchema = Type.Object({
  secret: Type.String({ maxLength: 64, description: 'Base32' }),
  otpauth_url: Type.String({ maxLength: 1024, description: 'For a QR code' })
})
export type TotpSecret = Static<typeof TotpSecretSchema>

export const RecoveryCodesSchema = Type.Object({ recovery_codes: RecoveryCodes })
export const NewPasskeySchema = Type.Object({ passkey: PasskeySchema, recovery_codes: RecoveryCodes })
export const EnrolledTotpSchema = Type.Object({ recovery_codes: RecoveryCodes, tokens: TokenPairSchema })
export const EnrolledPasskeySchema = Type.Object({
  passkey: PasskeySchema,
  recovery_codes: RecoveryCodes,
  tokens: TokenPairSchema
})
export const PasskeyOptionsSchema = Type.Object({
  options: Type.Object({}, {
    additionalProperties: true,
    description: 'For PublicKeyCredential.parseCreationOptionsFromJSON() or parseRequestOptionsFromJSON()'
  }),
  challenge_token: ChallengeToken
})

export const OrganisationSettingsSchema = Type.Object({
  id: Type.String({ maxLength: 100 }),
  name: Type.String({ maxLength: 200 }),
  mfa: Type.Union([Type.Literal('optional'), Type.Literal('required')]),
  max_users: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
  max_sources: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
  created_at: Time
})
export type OrganisationSettings = Static<typeof OrganisationSettingsSchema>

export const MfaTokenBodySchema = Type.Object({ mfa_token: MfaToken }, strict)
export type MfaTokenBody = Static<typeof MfaTokenBodySchema>
export const VerifyBodySchema = Type.Object({ mfa_token: MfaToken, code: Code }, strict)
export type VerifyBody = Static<typeof VerifyBodySchema>
export const EnrolTotpConfirmBodySchema = Type.Object({ mfa_token: MfaToken, code: TotpCode }, strict)
export type EnrolTotpConfirmBody = Static<typeof EnrolTotpConfirmBodySchema>
export const StartEnrolmentBodySchema = Type.Object({ current_password: CurrentPassword }, strict)
export type StartEnrolmentBody = Static<typeof StartEnrolmentBodySchema>
export const TotpConfirmBodySchema = Type.Object({ code: TotpCode }, strict)
export type TotpConfirmBody = Static<typeof TotpConfirmBodySchema>
export const NewPasskeyBodySchema = Type.Object({
  challenge_token: ChallengeToken,
  name: PasskeyName,
  credential: NewCredentialSchema
}, strict)
export type NewPasskeyBody = Static<typeof NewPasskeyBodySchema>
export const EnrolPasskeyBodySchema = Type.Object({
  mfa_token: MfaToken,
  challenge_token: ChallengeToken,
  name: PasskeyName,
  credential: NewCredentialSchema
}, strict)
export type EnrolPasskeyBody = Static<typeof EnrolPasskeyBodySchema>
export const PasskeyVerifyBodySchema = Type.Object({
  mfa_token: MfaToken,
  challenge_token: ChallengeToken,
  credential: CredentialSchema
}, strict)
export type PasskeyVerifyBody = Static<typeof PasskeyVerifyBodySchema>
export const PasskeyLoginBodySchema = Type.Object({
  challenge_token: ChallengeToken,
  credential: CredentialSchema,
  org_id: LoginBodySchema.properties.org_id
}, strict)
export type PasskeyLoginBody = Static<typeof PasskeyLoginBodySchema>
export const StepUpBodySchema = Type.Object({
  code: Type.Optional(Code),
  challenge_token: Type.Optional(ChallengeToken),
  credential: Type.Optional(CredentialSchema)
}, strict)
export type StepUpBody = Static<typeof StepUpBodySchema>
export const OrganisationPatchBodySchema = Type.Object({
  name: Type.Optional(Type.String({ minLength: 1, maxLength: 200, pattern: '^[^\\p{Cc}\\p{Cs}]+$' })),
  mfa: Type.Optional(OrganisationSettingsSchema.properties.mfa)
}, { ...strict, minProperties: 1 })
export type OrganisationPatchBody = Static<typeof OrganisationPatchBodySchema>

const open = errorReplies(400, 401, 403, 413, 415, 429, 500, 503)
const read = errorReplies(401, 403, 429, 500, 503)
const write = errorReplies(400, 401, 403, 404, 409, 413, 415, 429, 500, 503)
const ONE_ID = Type.Object({ id: Type.String({ maxLength: 100 }) })

export const mfaSchemas = {
  verify: {
    operationId: 'mfaVerify',
    summary: 'Finish a login with a code',
    description: 'A code of the authenticator app or a recovery code. Each code works once; 5 failures use the token up.',
    tags,
    body: VerifyBodySchema,
    response: { 200: TokenPairSchema, ...open }
  },
  enrolTotp: {
    operationId: 'mfaEnrolTotp',
    summary: 'Set up an authenticator app during a login that requires it',
    tags,
    body: MfaTokenBodySchema,
    response: { 200: TotpSecretSchema, ...open }
  },
  confirmEnrolledTotp: {
    operationId: 'mfaConfirmEnrolledTotp',
    summary: 'Confirm the authenticator app and finish the login',
    tags,
    body: EnrolTotpConfirmBodySchema,
    response: { 200: EnrolledTotpSchema, ...open, ...errorReplies(409) }
  },
  enrolPasskeyOptions: {
    operationId: 'mfaEnrolPasskeyOptions',
    summary: 'Get the options of a new passkey during a login that requires it',
    tags,
    body: MfaTokenBodySchema,
    response: { 200: PasskeyOptionsSchema, ...open }
  },
  enrolPasskey: {
    operationId: 'mfaEnrolPasskey',
    summary: 'Register a passkey and finish the login',
    tags,
    body: EnrolPasskeyBodySchema,
    response: { 200: EnrolledPasskeySchema, ...open, ...errorReplies(409) }
  },
  passkeyVerifyOptions: {
    operationId: 'mfaPasskeyVerifyOptions',
    summary: 'Get the options of a passkey as second factor',
    tags,
    body: MfaTokenBodySchema,
    response: { 200: PasskeyOptionsSchema, ...open }
  },
  passkeyVerify: {
    operationId: 'mfaPasskeyVerify',
    summary: 'Finish a login with a passkey',
    tags,
    body: PasskeyVerifyBodySchema,
    response: { 200: TokenPairSchema, ...open }
  },
  passkeyLoginOptions: {
    operationId: 'mfaPasskeyLoginOptions',
    summary: 'Get the options of a login without a password',
    tags,
    response: { 200: PasskeyOptionsSchema, ...open }
  },
  passkeyLogin: {
    operationId: 'mfaPasskeyLogin',
    summary: 'Log in with a passkey, without a password',
    description: 'The passkey must verify the user, by a PIN or a fingerprint, and counts as both factors.',
    tags,
    body: PasskeyLoginBodySchema,
    response: { 200: TokenPairSchema, ...open }
  },
  state: {
    operationId: 'mfaState',
    summary: 'Get the second factors of the caller',
    tags,
    response: { 200: MfaStateSchema, ...read }
  },
  proposeTotp: {
    operationId: 'mfaProposeTotp',
    summary: 'Set up an authenticator app, or replace it',
    description: 'The new secret takes effect when it is confirmed.',
    tags,
    body: StartEnrolmentBodySchema,
    response: { 200: TotpSecretSchema, ...write }
  },
  confirmTotp: {
    operationId: 'mfaConfirmTotp',
    summary: 'Confirm the authenticator app with a code',
    tags,
    body: TotpConfirmBodySchema,
    response: { 200: RecoveryCodesSchema, ...write }
  },
  removeTotp: {
    operationId: 'mfaRemoveTotp',
    summary: 'Remove the authenticator app',
    tags,
    response: { 204: Done, ...write }
  },
  replaceRecoveryCodes: {
    operationId: 'mfaReplaceRecoveryCodes',
    summary: 'Replace the recovery codes',
    tags,
    response: { 200: RecoveryCodesSchema, ...write }
  },
  passkeyOptions: {
    operationId: 'mfaPasskeyOptions',
    summary: 'Get the options of a new passkey',
    tags,
    body: StartEnrolmentBodySchema,
    response: { 200: PasskeyOptionsSchema, ...write }
  },
  addPasskey: {
    operationId: 'mfaAddPasskey',
    summary: 'Register a passkey',
    tags,
    body: NewPasskeyBodySchema,
    response: { 201: NewPasskeySchema, ...write }
  },
  readPasskey: {
    operationId: 'mfaReadPasskey',
    summary: 'Get a passkey of the caller',
    tags,
    params: ONE_ID,
    response: { 200: PasskeySchema, ...read, ...errorReplies(404) }
  },
  removePasskey: {
    operationId: 'mfaRemovePasskey',
    summary: 'Remove a passkey of the caller',
    tags,
    params: ONE_ID,
    response: { 204: Done, ...write }
  },
  stepUpOptions: {
    operationId: 'mfaStepUpOptions',
    summary: 'Get the options of a passkey that confirms the session',
    tags,
    response: { 200: PasskeyOptionsSchema, ...write }
  },
  stepUp: {
    operationId: 'mfaStepUp',
    summary: 'Confirm the second factor again in this session',
    description: 'With `code`, or with `challenge_token` and `credential`. Routes that require a fresh second factor ' +
      'then accept the session for 5 minutes.',
    tags,
    body: StepUpBodySchema,
    response: { 204: Done, ...write }
  },
  readOrganisation: {
    operationId: 'readOrganisation',
    summary: 'Get the settings of the caller\'s organisation',
    tags,
    response: { 200: OrganisationSettingsSchema, ...read }
  },
  patchOrganisation: {
    operationId: 'patchOrganisation',
    summary: 'Change the name of the organisation, or whether it requires a second factor',
    description: 'A member without a second factor sets one up at the next login.',
    tags,
    body: OrganisationPatchBodySchema,
    response: { 200: OrganisationSettingsSchema, ...write }
  }
}
