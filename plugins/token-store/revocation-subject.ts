import { INVALID_REQUEST } from '../../lib/errors.js'
import type { RevocationKind } from '../../contracts/token-store/index.js'

const MAX_LENGTH = 256

/** Whether a subject may have been revoked; nothing else needs to be looked up. */
export function canBeSubject (subject: string): boolean {
  return subject.length > 0 && subject.length <= MAX_LENGTH
}

export function assertSubject (subject: string): void {
  if (!canBeSubject(subject)) throw new INVALID_REQUEST({ message: `The id of what is revoked has 1 to ${MAX_LENGTH} characters` })
}

/** One text for each subject, whatever its parts hold. */
export function subjectKey (orgId: string, kind: RevocationKind, subject: string): string {
  return JSON.stringify([orgId, kind, subject])
}
