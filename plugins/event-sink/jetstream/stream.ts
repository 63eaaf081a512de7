import type { JetStreamManager, StreamConfig } from '@nats-io/jetstream'

import { INVALID_OPTIONS } from '../../../lib/errors.js'
import { refuseUnknownMembers } from '../../../lib/options.js'
import type { KnownOptions } from '../../../lib/options.js'
import { allSubjects, assertSubjectPrefix } from './subject.js'
import { DEDUPLICATION_WINDOW } from '../../../contracts/event-sink.js'

export interface StreamOptions {
  /** Default: `events`. */
  name?: string
  /** What the subjects begin with: `<subjectPrefix>.<org>.<source>.<type>`. Default: `events`. */
  subjectPrefix?: string
  /** On how many brokers of a cluster each event is kept: 1, 3 or 5. An existing stream may have more. Default: 1. */
  replicas?: number
  /** Milliseconds after which the broker deletes an event, no less than `duplicateWindow`. Default: never; an existing stream as it is. */
  maxAge?: number
  /** Bytes that the stream may take on the disk of each broker. Default: no limit; an existing stream as it is. */
  maxBytes?: number
  /** What happens at `maxBytes`: `new` events are refused (503), or the `old` ones, though acknowledged, are deleted. Default: `new`. */
  discard?: 'new' | 'old'
  /**
   * Milliseconds for which the broker remembers each `Nats-Msg-Id`, in its memory. Default: 24 hours; with `packing: 'flush'`, where it
   * only has to outlast the sink's own attempts, 2 minutes.
   */
  duplicateWindow?: number
  /** Make the stream if there is none; else that is an error. Default: `true`. */
  create?: boolean
}

export type StreamSettings = Required<Omit<StreamOptions, 'maxAge' | 'maxBytes'>> & Pick<StreamOptions, 'maxAge' | 'maxBytes'>

const KNOWN: KnownOptions<StreamOptions> = {
  name: true, subjectPrefix: true, replicas: true, maxAge: true, maxBytes: true, discard: true, duplicateWindow: true, create: true
}
const PACKED_WINDOW = 2 * 60_000
const NANOS = 1_000_000
const NOT_FOUND = 10059
/** By another instance a moment ago, with other settings. */
const NAME_TAKEN = 10058
/** Twice the largest event that the gateway takes, for quotes and backslashes double in a JSON string, and as much again for what is added. */
const LARGEST_MESSAGE = 256 * 1024

export function streamSettings (options: StreamOptions, packed: boolean): StreamSettings {
  refuseUnknownMembers('jetstreamSink', 'stream.', options, KNOWN)
  const { name = 'events', subjectPrefix = 'events', replicas = 1, maxAge, maxBytes, discard = 'new', create = true } = options
  const { duplicateWindow = packed ? PACKED_WINDOW : DEDUPLICATION_WINDOW } = options
  if (!/^[A-Za-z0-9_-]{1,100}$/.test(name)) throw new INVALID_OPTIONS('jetstream: "name" must be letters, digits, "_" and "-"')
  assertSubjectPrefix(subjectPrefix)
  if (![1, 3, 5].includes(replicas)) throw new INVALID_OPTIONS('jetstream: "replicas" must be 1, 3 or 5')
  if (discard !== 'new' && discard !== 'old') throw new INVALID_OPTIONS('jetstream: "discard" must be "new" or "old"')
  for (const [option, value, least] of [['maxAge', maxAge, duplicateWindow], ['maxBytes', maxBytes, 1], ['duplicateWindow', duplicateWindow, 100]] as const) {
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= least)) {
      throw new INVALID_OPTIONS(`jetstream: "${option}" must be an integer, at least ${option === 'maxAge' ? 'as long as "duplicateWindow"' : least}`)
    }
  }
  const limits = { ...(maxAge === undefined ? {} : { maxAge }), ...(maxBytes === undefined ? {} : { maxBytes }) }
  return { name, subjectPrefix, replicas, discard, duplicateWindow, create, ...limits }
}

/**
 * Makes the stream, or looks whether the one that exists keeps what the sink promises.
 *
 * @throws an Error that says all that is wrong with the stream, or why the broker would not make it
 */
export async function ensureStream (manager: JetStreamManager, settings: StreamSettings): Promise<void> {
  const { name } = settings
  const config = await configOf(manager, name) ?? await create(manager, settings)
  const wrong = faultsOf(config, settings)
  if (wrong.length > 0) throw new Error(`jetstream: the stream "${name}" exists, but ${wrong.join('; ')}`)
}

async function configOf (manager: JetStreamManager, name: string): Promise<StreamConfig | null> {
  try {
    return (await manager.streams.info(name)).config
  } catch (cause) {
    if (codeOf(cause) === NOT_FOUND) return null
    throw new Error(`jetstream: could not look for the stream "${name}": ${messageOf(cause)}`, { cause })
  }
}

async function create (manager: JetStreamManager, settings: StreamSettings): Promise<StreamConfig> {
  const { name, subjectPrefix, replicas, maxAge, maxBytes, discard, duplicateWindow } = settings
  if (!settings.create) throw new Error(`jetstream: there is no stream "${name}"; make it, or leave "create" out`)
  try {
    const { config } = await manager.streams.add({
      name,
      subjects: [allSubjects(subjectPrefix)],
      storage: 'file',
      retention: 'limits',
      num_replicas: replicas,
      discard,
      duplicate_window: duplicateWindow * NANOS,
      ...(maxAge === undefined ? {} : { max_age: maxAge * NANOS }),
      ...(maxBytes === undefined ? {} : { max_bytes: maxBytes })
    })
    return config
  } catch (cause) {
    const other = codeOf(cause) === NAME_TAKEN ? await configOf(manager, name) : null
    if (other !== null) return other
    throw new Error(`jetstream: could not make the stream "${name}": ${messageOf(cause)}`, { cause })
  }
}

/** What breaks a promise, each as the end of a sentence. */
function faultsOf (config: StreamConfig, { subjectPrefix, replicas, maxAge, maxBytes, discard, duplicateWindow }: StreamSettings): string[] {
  const subjects = allSubjects(subjectPrefix)
  const limited = config.max_bytes > 0 || config.max_msgs > 0
  const faults: Array<[boolean, string]> = [
    [config.storage !== 'file', 'it is kept in memory, not in files'],
    [config.retention !== 'limits', `its retention is "${config.retention}", by which events are deleted once they were read or where nobody reads; it should be "limits"`],
    [config.no_ack === true, 'it acknowledges nothing ("no_ack")'],
    [config.sealed, 'it is sealed'],
    [!(config.subjects ?? []).some((pattern) => covers(pattern, subjects)), `it does not take all of the subjects "${subjects}"`],
    [config.num_replicas < replicas, `it has ${config.num_replicas} replicas, not ${replicas}`],
    [config.duplicate_window < duplicateWindow * NANOS,
      `its "duplicate_window" is ${config.duplicate_window / NANOS} ms, not ${duplicateWindow}: repeats would be stored twice; edit the stream, or set "duplicateWindow"`],
    [limited && config.discard !== discard, `when it is full it discards ${config.discard} events, not ${discard} ones`],
    [config.max_msgs_per_subject > 0 && !config.discard_new_per_subject, 'it keeps only so many events of a subject ("max_msgs_per_subject")'],
    [config.max_msg_size > 0 && config.max_msg_size < LARGEST_MESSAGE, `its "max_msg_size" is ${config.max_msg_size}, less than an event may take, ${LARGEST_MESSAGE}`],
    [maxAge !== undefined && config.max_age !== maxAge * NANOS, `its "max_age" is ${config.max_age / NANOS} ms, not ${maxAge}`],
    [maxBytes !== undefined && config.max_bytes !== maxBytes, `its "max_bytes" is ${config.max_bytes}, not ${maxBytes}`]
  ]
  return faults.flatMap(([wrong, sentence]) => wrong ? [sentence] : [])
}

/** @throws an Error when the broker takes no message as large as an event may be */
export function assertMaxPayload (maxPayload: number): void {
  if (maxPayload < LARGEST_MESSAGE) throw new Error(`jetstream: the broker's "max_payload" is ${maxPayload}, less than an event may take; set ${LARGEST_MESSAGE} or more`)
}

/** Whether every subject of one pattern, which ends in `>`, matches the other. */
function covers (pattern: string, subjects: string): boolean {
  const tokens = subjects.split('.')
  const patterns = pattern.split('.')
  for (const [at, wanted] of patterns.entries()) {
    if (wanted === '>') return at < tokens.length
    const token = tokens[at]
    if (token === undefined || token === '>' || (wanted !== '*' && wanted !== token)) return false
  }
  return false
}

function codeOf (error: unknown): unknown {
  return (error as { code?: unknown } | null)?.code
}

function messageOf (error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
