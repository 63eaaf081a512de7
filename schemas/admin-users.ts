import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'

import { ROLES } from './admin-auth.js'
import type { Role } from './admin-auth.js'
import { errorReplies } from './error.js'
import { PageQuerySchema, pageSchema } from './page.js'

const tags = ['admin users']
const accountTags = ['admin account']
const strict = { additionalProperties: false }
const Time = Type.String({ maxLength: 30, description: 'ISO-8601, UTC, milliseconds' })
const Id = Type.String({ maxLength: 100 })
const params = Type.Object({ id: Id })
const Done = Type.Null({ description: 'Done; no body' })
const RoleSchema = Type.Unsafe<Role>({ type: 'string', enum: [...ROLES] })
const Password = Type.String({ minLength: 1, maxLength: 1024 })
const NewPassword = Type.String({ minLength: 12, maxLength: 1024 })
const LinkToken = Type.String({ minLength: 1, maxLength: 512, description: 'The token of the mailed link' })
/**
 * The pattern of an address as HTML defines it for `<input type=email>`: ASCII without quotes, spaces and line breaks,
 * so that it is one recipient in a mail header. An international domain is in punycode.
 */
export const EMAIL_PATTERN =
  "^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?" +
  '(?:\\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$'
const Email = Type.String({
  minLength: 3,
  maxLength: 254,
  pattern: EMAIL_PATTERN,
  description: 'An ASCII email address; an international domain in punycode'
})

export const InviteBodySchema = Type.Object({ email: Email, role: RoleSchema }, strict)
export type InviteBody = Static<typeof InviteBodySchema>

export const InvitationSchema = Type.Object({
  id: Id,
  email: Type.String({ maxLength: 254 }),
  role: RoleSchema,
  invited_by: Type.String({ maxLength: 100, description: 'Id of the user who sent it last' }),
  created_at: Time,
  expires_at: Time
})
export type InvitationItem = Static<typeof InvitationSchema>

export const LinkBodySchema = Type.Object({ token: LinkToken }, strict)
export type LinkBody = Static<typeof LinkBodySchema>

export const InspectedInvitationSchema = Type.Object({
  email: Type.String({ maxLength: 254 }),
  organisation: Type.String({ maxLength: 1_000, description: 'Name of the organisation' }),
  role: RoleSchema,
  expires_at: Time,
  has_account: Type.Boolean({ description: 'Whether accepting needs the current password instead of a new one' })
})
export type InspectedInvitation = Static<typeof InspectedInvitationSchema>

export const AcceptBodySchema = Type.Object({ token: LinkToken, password: Password }, strict)
export type AcceptBody = Static<typeof AcceptBodySchema>

export const MemberSchema = Type.Object({
  id: Id,
  email: Type.String({ maxLength: 254 }),
  role: RoleSchema,
  disabled: Type.Boolean(),
  created_at: Time,
  last_login_at: Type.Unsafe<string | null>({
    type: ['string', 'null'], maxLength: 30, description: 'ISO-8601, UTC; null before the first login'
  })
})
export type MemberItem = Static<typeof MemberSchema>

export const MemberPatchSchema = Type.Partial(
  Type.Object({ role: RoleSchema, disabled: Type.Boolean() }),
  { ...strict, minProperties: 1 }
)
export type MemberPatchBody = Static<typeof MemberPatchSchema>

export const PasswordResetBodySchema = Type.Object({
  email: Type.String({ minLength: 1, maxLength: 254, pattern: '^[^\\s\\p{Cc}\\p{Cs}]+$' })
}, strict)
export type PasswordResetBody = Static<typeof PasswordResetBodySchema>

export const ConfirmResetBodySchema = Type.Object({ token: LinkToken, new_password: NewPassword }, strict)
export type ConfirmResetBody = Static<typeof ConfirmResetBodySchema>

export const EmailBodySchema = Type.Object({ new_email: Email, current_password: Password }, strict)
export type EmailBody = Static<typeof EmailBodySchema>

export const EmailStatusSchema = Type.Object({
  status: Type.Unsafe<'waiting' | 'changed'>({
    type: 'string', enum: ['waiting', 'changed'], description: '`waiting`: the other link is not confirmed'
  })
})
export type EmailStatus = Static<typeof EmailStatusSchema>

export const inviteSchema = {
  operationId: 'inviteUser',
  summary: 'Invite a person by mail',
  description: 'The link is valid for 7 days and once. It replaces an open invitation of the same email. With 503 the ' +
    'invitation is stored, but its mail could not be sent: resend it.',
  tags,
  body: InviteBodySchema,
  response: { 201: InvitationSchema, ...errorReplies(400, 401, 403, 409, 413, 415, 429, 500, 503) }
}

export const listInvitationsSchema = {
  operationId: 'listInvitations',
  summary: 'List the open invitations, newest first',
  tags,
  querystring: PageQuerySchema,
  response: { 200: pageSchema(InvitationSchema), ...errorReplies(400, 401, 403, 429, 500, 503) }
}

export const deleteInvitationSchema = {
  operationId: 'deleteInvitation',
  summary: 'Withdraw an invitation; its link is no longer valid',
  tags,
  params,
  response: { 204: Done, ...errorReplies(401, 403, 404, 429, 500, 503) }
}

export const resendInvitationSchema = {
  operationId: 'resendInvitation',
  summary: 'Mail a new link for 7 days; the previous link is no longer valid',
  tags,
  params,
  response: { 200: InvitationSchema, ...errorReplies(401, 403, 404, 429, 500, 503) }
}

export const inspectInvitationSchema = {
  operationId: 'inspectInvitation',
  summary: 'Read the invitation of a link',
  tags,
  body: LinkBodySchema,
  response: { 200: InspectedInvitationSchema, ...errorReplies(400, 401, 413, 415, 429, 500, 503) }
}

export const acceptInvitationSchema = {
  operationId: 'acceptInvitation',
  summary: 'Accept an invitation',
  description: 'A new email sets its password; an existing account proves its current password. Log in afterwards.',
  tags,
  body: AcceptBodySchema,
  response: { 201: MemberSchema, ...errorReplies(400, 401, 409, 413, 415, 429, 500, 503) }
}

export const listUsersSchema = {
  operationId: 'listUsers',
  summary: 'List the members of the organisation, newest first',
  tags,
  querystring: PageQuerySchema,
  response: { 200: pageSchema(MemberSchema), ...errorReplies(400, 401, 403, 429, 500, 503) }
}

export const readUserSchema = {
  operationId: 'readUser',
  summary: 'Read a member',
  tags,
  params,
  response: { 200: MemberSchema, ...errorReplies(401, 403, 404, 429, 500, 503) }
}

export const patchUserSchema = {
  operationId: 'patchUser',
  summary: 'Change the role of a member, or disable or enable a member',
  description: 'Takes effect within a second. Only owners change owners or give the role owner. Nobody changes themselves.',
  tags,
  params,
  body: MemberPatchSchema,
  response: { 200: MemberSchema, ...errorReplies(400, 401, 403, 404, 409, 413, 415, 429, 500, 503) }
}

export const deleteUserSchema = {
  operationId: 'deleteUser',
  summary: 'Remove a member; the last membership takes the account with it',
  tags,
  params,
  response: { 204: Done, ...errorReplies(401, 403, 404, 409, 429, 500, 503) }
}

export const requestResetSchema = {
  operationId: 'requestPasswordReset',
  summary: 'Request a mail with a link that sets a new password',
  description: 'The response is the same for an unknown email. The link is valid for 30 minutes and once.',
  tags: accountTags,
  body: PasswordResetBodySchema,
  response: {
    202: Type.Null({ description: 'If the email has an account, a mail is sent' }),
    ...errorReplies(400, 413, 415, 429, 500, 503)
  }
}

export const confirmResetSchema = {
  operationId: 'confirmPasswordReset',
  summary: 'Set a new password with the link of a reset',
  description: 'Ends all sessions and unlocks the account. A second factor is still required at login.',
  tags: accountTags,
  body: ConfirmResetBodySchema,
  response: { 204: Done, ...errorReplies(400, 401, 413, 415, 429, 500, 503) }
}

export const requestEmailSchema = {
  operationId: 'requestEmailChange',
  summary: 'Change the email of the caller',
  description: 'Mails a link to the present and to the new address. The email changes when both are confirmed, within ' +
    '24 hours.',
  tags: accountTags,
  body: EmailBodySchema,
  response: { 202: Type.Null({ description: 'The mails are sent' }), ...errorReplies(400, 401, 413, 415, 429, 500, 503) }
}

export const confirmEmailSchema = {
  operationId: 'confirmEmailChange',
  summary: 'Confirm one of the two links of a change of email',
  tags: accountTags,
  body: LinkBodySchema,
  response: { 200: EmailStatusSchema, ...errorReplies(400, 401, 409, 413, 415, 429, 500, 503) }
}
