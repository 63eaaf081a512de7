import type { Generated } from 'kysely'

import type {
  BotPolicy, CustomSignature, Environment, RequireSignature, SignedRepeats, WebhookMapping, WebhookProvider
} from '../../../contracts/token-store/index.js'
import type { Json, Sequence } from './column-types.js'

/** The tables of sources and what belongs to them. */
export interface SourceTables {
  sources: SourcesTable
  pipeline_keys: PipelineKeysTable
  server_secrets: ServerSecretsTable
  webhooks: WebhooksTable
  webhook_secrets: WebhookSecretsTable
}

interface SourcesTable {
  id: string
  seq: Sequence
  org_id: string
  name: string
  environment: Environment
  server_secret_prefix: string
  domains: Json<string[]>
  allow_any_origin: boolean
  allow_null_origin: boolean
  require_signature: RequireSignature
  require_timestamp: boolean
  enabled: boolean
  rate_limit: number | null
  pixel_types: Json<string[]>
  bots: BotPolicy
  signed_repeats: SignedRepeats
  keep_refused: Generated<boolean>
  /** A bigint, which `pg` returns as a string. */
  daily_quota: string | number | null
  monthly_quota: string | number | null
  created_at: Date
  updated_at: Date
}

/** Every current and former pipeline key. None is deleted, so that a key stays with its organisation. */
export interface PipelineKeysTable {
  key: string
  org_id: string
  /** Null after the key expired or its source was deleted. */
  source_id: string | null
  /** When a rotated or named key expires; null for the current key of the source. */
  expires_at: Date | null
  /** Null for a key that was created before keys had ids. */
  id: string | null
  /** Null for the current key of the source and the keys that it replaced. */
  name: string | null
  /** Domains of this key alone; null: the domains of the source. */
  domains: Json<string[] | null> | null
  enabled: Generated<boolean>
  added_at: Date | null
  last_used_at: Date | null
}

interface ServerSecretsTable {
  id: string
  seq: Sequence
  source_id: string
  /** Encrypted with SECRETS_KEY, bound to this row. */
  sealed: string
  /** When a rotated secret expires; null for the newest secret. */
  expires_at: Date | null
}

interface WebhooksTable {
  id: string
  seq: Sequence
  source_id: string
  name: string
  provider: WebhookProvider
  secret_prefix: string
  url: string | null
  custom: Json<CustomSignature | null> | null
  mapping: Json<WebhookMapping | null> | null
  enabled: boolean
  created_at: Date
  updated_at: Date
}

interface WebhookSecretsTable {
  id: string
  seq: Sequence
  webhook_id: string
  /** Encrypted with SECRETS_KEY, bound to this row. */
  sealed: string
  /** When a rotated secret expires; null for the newest secret. */
  expires_at: Date | null
}
