import { INVALID_REQUEST } from '../../lib/errors.js'
import type { RevocationKind } from '../../contracts/token-store/index.js'

const MAX_LENGTH = 256

/** Whether a subject can be revoked at all; other values need no look-up. */
export function canBeSubject (subject: string): boolean {
  return subject.length > 0 && subject.length <= MAX_LENGTH
}

export function assertSubject (subject: string): void {
  if (!canBeSubject(subject)) {
    throw new INVALID_REQUEST({ message: `The id of the subject must have 1 to ${MAX_LENGTH} characters` })
  }
}

/** Returns a key that is unique for each subject. */
export function subjectKey (orgId: string, kind: RevocationKind, subject: string): string {
  return JSON.stringify([orgId, kind, subject])
}
