import type { Role } from '../../../contracts/token-store/index.js'
import type { Link } from './links.js'
import type { MailMessage } from './mailer.js'

/** Maximum numbers of characters in a mail. */
const MAX_NAME = 100
const MAX_EMAIL = 254

export function invitationMail (
  { to, inviter, organisation, role, link }:
  { to: string, inviter: string, organisation: string, role: Role, link: Link }
): MailMessage {
  const name = oneLine(organisation, MAX_NAME)
  return {
    to,
    kind: 'invitation',
    subject: `Invitation to ${name}`,
    text: paragraphs(
      `${oneLine(inviter)} invites you to "${name}" with the role ${role}.`,
      'To accept the invitation, open this link within 7 days:',
      link.url,
      'If you do not expect the invitation, ignore this mail.'
    ),
    link: link.url
  }
}

export function passwordResetMail ({ to, link }: { to: string, link: Link }): MailMessage {
  return {
    to,
    kind: 'password_reset',
    subject: 'Set a new password',
    text: paragraphs(
      'Somebody requested a new password for your account.',
      'To set a new password, open this link within 30 minutes:',
      link.url,
      'If you did not request it, ignore this mail: your password has not changed.'
    ),
    link: link.url
  }
}

export function passwordChangedMail (to: string): MailMessage {
  return {
    to,
    kind: 'password_changed',
    subject: 'Your password was changed',
    text: paragraphs(
      'The password of your account was set with a mailed link, and all sessions have ended.',
      'If you did not do this, request a new password now, and tell an owner of your organisation.'
    ),
    link: null
  }
}

export function emailChangeMail ({ to, from, newEmail, link }: {
  to: string
  from: string
  newEmail: string
  link: Link
}): MailMessage {
  return {
    to,
    kind: 'email_change',
    subject: 'Confirm your new email address',
    text: paragraphs(
      `The email address of the account ${oneLine(from)} is to become ${newEmail}.`,
      'The address changes when both addresses have confirmed it. To confirm, open this link within 24 hours:',
      link.url,
      to === newEmail
        ? 'If you do not know this account, ignore this mail.'
        : 'If you did not request it, do not open the link, and change your password.'
    ),
    link: link.url
  }
}

export function emailChangedMail ({ to, newEmail }: { to: string, newEmail: string }): MailMessage {
  return {
    to,
    kind: 'email_changed',
    subject: 'Your email address was changed',
    text: paragraphs(
      `The email address of your account is now ${oneLine(newEmail)}. Mails no longer come to this address.`,
      'If you did not do this, tell an owner of your organisation now.'
    ),
    link: null
  }
}

function paragraphs (...lines: string[]): string {
  return `${lines.join('\n\n')}\n`
}

/** Replaces line breaks and other control characters, which could add headers or lines to a mail. */
function oneLine (text: string, max = MAX_EMAIL): string {
  return Array.from(text.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')).slice(0, max).join('')
}
