import { generateWebhookId } from '../../../signing/webhooks/index.js'
import { overQuota } from '../limits.js'
import type {
  NewWebhook, Page, PageRequest, ResolvedWebhook, Source, Webhook, WebhookPatch,
  Webhooks
} from '../../../contracts/token-store/index.js'
import {
  freezeWebhook, patchedWebhook, webhookResolvedUntil, webhookSecretBytes, webhookSecretPrefix,
  webhookSettingsOf
} from '../webhook-settings.js'
import { newestFirst } from './newest-first.js'

interface Secret {
  value: Buffer
  expiresAt: number | null
}
interface WebhookRecord {
  webhook: Webhook
  sequence: number
  secrets: Secret[]
  resolved: ResolvedWebhook | null
}

export class MemoryWebhooks implements Webhooks {
  readonly #now: () => number
  readonly #sourceOf: (id: string) => Source | null
  readonly #records = new Map<string, WebhookRecord>()
  #sequence = 0

  /** @param sourceOf returns the current source with an id */
  constructor (now: () => number, sourceOf: (id: string) => Source | null) {
    this.#now = now
    this.#sourceOf = sourceOf
  }

  async create (orgId: string, sourceId: string, fresh: NewWebhook): Promise<Webhook | null> {
    const value = webhookSecretBytes(fresh.provider, fresh.secret)
    if (!this.#hasSource(orgId, sourceId)) return null
    const { quota } = fresh
    if (quota !== undefined && this.#count(orgId) >= quota) throw overQuota('webhooks', quota)
    const now = this.#now()
    const webhook: Webhook = {
      id: generateWebhookId(),
      orgId,
      sourceId,
      provider: fresh.provider,
      ...webhookSettingsOf(fresh),
      secretPrefix: webhookSecretPrefix(fresh.secret),
      createdAt: now,
      updatedAt: now
    }
    this.#records.set(webhook.id, {
      webhook,
      sequence: ++this.#sequence,
      secrets: [{ value, expiresAt: null }],
      resolved: null
    })
    return structuredClone(webhook)
  }

  async get (orgId: string, sourceId: string, id: string): Promise<Webhook | null> {
    const record = this.#find(orgId, sourceId, id)
    return record === null ? null : structuredClone(record.webhook)
  }

  async list (orgId: string, sourceId: string, page: PageRequest): Promise<Page<Webhook> | null> {
    if (!this.#hasSource(orgId, sourceId)) return null
    const own = Array.from(this.#records.values()).filter(({ webhook }) => webhook.sourceId === sourceId)
    const positioned = own.map(({ webhook, sequence }) => ({
      position: { timestamp: webhook.createdAt, sequence },
      item: webhook
    }))
    return newestFirst(positioned, page, (webhook) => structuredClone(webhook))
  }

  async update (orgId: string, sourceId: string, id: string, patch: WebhookPatch): Promise<Webhook | null> {
    const record = this.#find(orgId, sourceId, id)
    return record === null ? null : this.#changed(record, patchedWebhook(record.webhook, patch))
  }

  async delete (orgId: string, sourceId: string, id: string): Promise<boolean> {
    return this.#find(orgId, sourceId, id) !== null && this.#records.delete(id)
  }

  async rotateSecret (
    orgId: string,
    sourceId: string,
    id: string,
    { secret, overlapUntil }: { secret: string, overlapUntil: number }
  ): Promise<Webhook | null> {
    const record = this.#find(orgId, sourceId, id)
    if (record === null) return null
    const value = webhookSecretBytes(record.webhook.provider, secret)
    const overlapping = overlapUntil > this.#now() ? record.secrets.filter(({ expiresAt }) => expiresAt === null) : []
    record.secrets = [{ value, expiresAt: null }, ...overlapping.map((old) => ({ ...old, expiresAt: overlapUntil }))]
    return this.#changed(record, { secretPrefix: webhookSecretPrefix(secret) })
  }

  resolve (id: string): ResolvedWebhook | null {
    const record = this.#records.get(id)
    if (record === undefined) return null
    const now = this.#now()
    if (record.resolved === null || webhookResolvedUntil(record.resolved) <= now) {
      const source = this.#sourceOf(record.webhook.sourceId)
      record.resolved = source === null ? null : freezeWebhook(record.webhook, source, live(record.secrets, now))
    }
    return record.resolved
  }

  /** Called when a source was changed or deleted; deletes the webhooks of a deleted source. */
  sourceChanged (sourceId: string): void {
    const isDeleted = this.#sourceOf(sourceId) === null
    for (const record of this.#records.values()) {
      if (record.webhook.sourceId !== sourceId) continue
      record.resolved = null
      if (isDeleted) this.#records.delete(record.webhook.id)
    }
  }

  sweep (): void {
    const now = this.#now()
    for (const record of this.#records.values()) record.secrets = live(record.secrets, now)
  }

  #hasSource (orgId: string, sourceId: string): boolean {
    return this.#sourceOf(sourceId)?.orgId === orgId
  }

  #count (orgId: string): number {
    return Array.from(this.#records.values()).filter(({ webhook }) => webhook.orgId === orgId).length
  }

  #find (orgId: string, sourceId: string, id: string): WebhookRecord | null {
    const record = this.#records.get(id)
    return record?.webhook.orgId === orgId && record.webhook.sourceId === sourceId ? record : null
  }

  #changed (record: WebhookRecord, change: Partial<Webhook>): Webhook {
    Object.assign(record.webhook, change, { updatedAt: this.#now() })
    record.resolved = null
    return structuredClone(record.webhook)
  }
}

function live (secrets: readonly Secret[], now: number): Secret[] {
  return secrets.filter(({ expiresAt }) => expiresAt === null || expiresAt > now)
}
