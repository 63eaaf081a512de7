import { randomUUID } from 'node:crypto'

import { assertSubject, subjectKey } from '../revocation-subject.js'
import type {
  NewRevocation, Page, PageRequest, Revocation, RevocationFilter, RevocationKind, RevocationSubject,
  Revocations
} from '../../../contracts/token-store/index.js'
import { newestFirst } from './newest-first.js'

interface RevocationRecord {
  revocation: Revocation
  sequence: number
}

export class MemoryRevocations implements Revocations {
  readonly #now: () => number
  readonly #records = new Map<string, RevocationRecord>()
  #sequence = 0

  constructor (now: () => number) {
    this.#now = now
  }

  async revoke ({ orgId, kind, subject, before, createdBy }: NewRevocation): Promise<Revocation> {
    assertSubject(subject)
    const key = subjectKey(orgId, kind, subject)
    const known = this.#records.get(key)
    if (known !== undefined && known.revocation.before >= before) return { ...known.revocation }
    const { revocation: { id }, sequence } = known ?? { revocation: { id: randomUUID() }, sequence: ++this.#sequence }
    const revocation: Revocation = { id, orgId, kind, subject, before, createdAt: this.#now(), createdBy }
    this.#records.set(key, { revocation, sequence })
    return { ...revocation }
  }

  async lift (orgId: string, id: string): Promise<Revocation | null> {
    for (const [key, { revocation }] of this.#records) {
      if (revocation.id !== id || revocation.orgId !== orgId) continue
      this.#records.delete(key)
      return revocation
    }
    return null
  }

  async list (orgId: string, { kind, subject }: RevocationFilter, page: PageRequest): Promise<Page<Revocation>> {
    const positioned = Array.from(this.#records.values())
      .filter(({ revocation: own }) =>
        own.orgId === orgId && (kind === undefined || own.kind === kind) &&
        (subject === undefined || own.subject === subject)
      )
      .map(({ revocation, sequence }) => ({
        position: { timestamp: revocation.createdAt, sequence },
        item: revocation
      }))
    return newestFirst(positioned, page, (revocation) => ({ ...revocation }))
  }

  cutoff (orgId: string, kind: RevocationKind, subject: string): number {
    return this.#records.get(subjectKey(orgId, kind, subject))?.revocation.before ?? 0
  }

  cutoffs (orgId: string, subjects: readonly RevocationSubject[]): number[] {
    return subjects.map(({ kind, subject }) => this.cutoff(orgId, kind, subject))
  }
}
