type Changes = Readonly<Record<string, unknown>>

/**
 * What an audit action means, as a sentence. `{who}` is the actor and `{it}` the thing, which the page links; any other
 * name is a property of the changes. A part in brackets is left out if one of its values is missing.
 */
type Sentence = string | ((changes: Changes) => string)

const LOGOUTS: Readonly<Record<string, string>> = {
  ended_from_another_session: '{who} ended one of their other sessions',
  replaced: '{who} signed in again, which ended the former session',
  switched: '{who} changed the organisation, which ended the session in this one',
  identity_provider: 'The identity provider ended a session of {who}'
}
const FACTOR_FAILURES: Readonly<Record<string, string>> = {
  locked: 'A second factor of {who} was refused, because the account is locked',
  token_used_up: 'A sign-in of {who} was refused after too many wrong second factors'
}

/** The sentence of each action that the routes of this package record. */
export const SENTENCES: Readonly<Record<string, Sentence>> = {
  'auth.login': ({ first_factor: factor }) => factor === 'passkey' ? '{who} signed in with a passkey' : '{who} signed in',
  'auth.sso_login': '{who} signed in at the identity provider',
  'auth.login_failed': ({ reason }) => reason === 'locked'
    ? 'A sign-in as {who} was refused, because the account is locked'
    : 'A sign-in as {who} failed',
  'auth.sso_failed': 'A sign-in through single sign-on failed',
  'auth.mfa_challenged': ({ enrolment_required: mustEnrol }) => mustEnrol === true
    ? '{who} began to sign in and must set up a second factor'
    : '{who} began to sign in and was asked for the second factor',
  'auth.mfa_failed': ({ reason }) => FACTOR_FAILURES[String(reason)] ?? '{who} gave a wrong second factor',
  'auth.mfa_verified': '{who} confirmed the second factor',
  'auth.mfa_enrolled': ({ method }) => method === 'passkey'
    ? '{who} added the passkey[ {name}]'
    : '{who} set up an authenticator app',
  'auth.mfa_removed': '{who} removed a second factor',
  'auth.mfa_recovery_replaced': '{who} replaced the recovery codes',
  'auth.mfa_recovery_used': '{who} used a recovery code[; {left} are left]',
  'auth.locked': ({ second_factor: isSecond }) => isSecond === true
    ? 'The account of {who} was locked after wrong second factors[, until {until}]'
    : 'The account of {who} was locked after wrong passwords[, until {until}]',
  'auth.logout': ({ reason }) => LOGOUTS[String(reason)] ?? '{who} signed out',
  'auth.logout_all': '{who} ended all their sessions',
  'auth.logout_others': '{who} ended their other sessions',
  'auth.session_expired': 'A session of {who} ended, because it was not used',
  'auth.refresh_reused': 'A refresh token of {who} was used twice, so its session was ended',
  'auth.token_refused': 'A request with an invalid access token or API key was refused',
  'auth.password_changed': '{who} changed their password, which ended their other sessions',
  'auth.password_reset_requested': 'A link for a new password was requested for {who}',
  'auth.password_reset': '{who} set a new password with a link',
  'auth.email_change_requested': '{who} asked to change their email',
  'auth.email_changed': '{who} confirmed a new email',
  'auth.switched': '{who} changed to this organisation',

  'guest_token.minted': ({ cached }) => cached === true
    ? '{who} got a DataBrain guest token from the cache'
    : '{who} got a DataBrain guest token',
  'guest_token.refused': '{who} was refused a DataBrain guest token[: {outcome}]',
  'databrain_proxy.forwarded': 'The DataBrain proxy forwarded calls of {who}',
  'databrain_proxy.refused': 'The DataBrain proxy refused a call of {who}[: {outcome}]',
  'embed.authorized': '{who} got the Bold BI dashboard[ {it}]',
  'embed.refused': '{who} was refused a Bold BI dashboard[: {outcome}]',
  'widget_token.minted': '{who} got a dxFeed widget token',
  'widget_token.refused': '{who} was refused a dxFeed widget token[: {outcome}]',
  'embed.revoked': '{who} revoked the embeds of the {kind} {subject}[, with the cut-off {before}]',
  'embed.revocation_lifted': '{who} lifted the revocation of the {kind} {subject}',

  'source.created': '{who} created the source {it}',
  'source.updated': '{who} changed the source {it}',
  'source.deleted': '{who} deleted the source {it}',
  'source.secret_rotated': '{who} rotated the server secret of {it}',
  'source.key_created': '{who} created the pipeline key [{name} ]of {it}',
  'source.key_updated': '{who} changed the pipeline key [{name} ]of {it}',
  'source.key_rotated': '{who} rotated the pipeline key [{name} ]of {it}',
  'source.key_deleted': '{who} deleted the pipeline key [{name} ]of {it}',
  'webhook.created': '{who} created the webhook {it}',
  'webhook.updated': '{who} changed the webhook {it}',
  'webhook.deleted': '{who} deleted the webhook {it}',
  'webhook.secret_rotated': '{who} rotated the secret of the webhook {it}',
  'events.exported': '{who} exported events',
  'refused_events.exported': '{who} exported refused events',
  'refused_event.replayed': ({ replayed }) => replayed === undefined
    ? '{who} replayed a refused event'
    : '{who} replayed refused events: {replayed} were accepted',
  'refused_event.deleted': '{who} deleted a refused event',

  'key.created': '{who} created the API key {it}',
  'key.updated': '{who} changed the API key {it}',
  'key.rotated': '{who} rotated the API key {it}',
  'key.revoked': '{who} revoked the API key {it}',
  'user.invited': '{who} invited {email}[ as {role}]',
  'user.invitation_resent': '{who} sent the invitation of {email} again',
  'user.invitation_withdrawn': '{who} withdrew the invitation of {email}',
  'user.joined': '{who} accepted an invitation[ as {role}]',
  'user.added': '{who} added the user {it}',
  'user.provisioned': 'The account of {it} was created by single sign-on or user provisioning',
  'user.updated': '{who} changed the user {it}',
  'user.disabled': '{who} disabled the user {it}',
  'user.deleted': '{who} removed the user {it}',
  'user.identity_linked': 'The account of {it} was linked with an identity provider',
  'user.identity_unlinked': '{who} unlinked {it} from an identity provider',
  'organisation.created': '{who} created the organisation[ {name}]',
  'organisation.updated': '{who} changed the settings of the organisation',
  'group.created': '{who} created the group {it}',
  'group.updated': '{who} changed the group {it}',
  'group.deleted': '{who} deleted the group {it}',
  'scim.updated': '{who} changed the user provisioning',
  'sso.domain_added': '{who} added the email domain {domain}',
  'sso.domain_updated': '{who} changed the email domain {domain}',
  'sso.domain_verified': '{who} verified the email domain {domain}',
  'sso.domain_removed': '{who} removed the email domain {domain}',
  'sso.provider_created': '{who} created the identity provider {it}',
  'sso.provider_updated': '{who} changed the identity provider {it}',
  'sso.provider_secret_rotated': '{who} rotated the client secret of the identity provider {it}',
  'sso.provider_deleted': '{who} deleted the identity provider {it}',

  'notice.key_expiring': 'A key of {it} ends soon[, at {ends_at}]',
  'notice.quota_warning': 'The source {it} has used 80 % of a quota',
  'notice.quota_exceeded': 'The source {it} has used up a quota'
}

/** Returns the sentence of an action; a host may record actions of its own. */
export function sentenceOf (action: string, changes: Changes): string {
  const sentence = SENTENCES[action]
  if (sentence === undefined) return `{who}: ${action}`
  return typeof sentence === 'string' ? sentence : sentence(changes)
}

/** Splits a sentence into words and the names of values, without the parts in brackets whose values are missing. */
export function partsOf (sentence: string, has: (name: string) => boolean): Array<{ text: string } | { name: string }> {
  const kept = sentence.replace(/\[([^\]]*)\]/g, (_match, part: string) => namesIn(part).every(has) ? part : '')
  return kept.split(/(\{\w+\})/).filter((part) => part !== '')
    .map((part) => part.startsWith('{') ? { name: part.slice(1, -1) } : { text: part })
}

function namesIn (part: string): string[] {
  return [...part.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
}
