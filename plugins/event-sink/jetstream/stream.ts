import type { JetStreamManager, StreamConfig } from '@nats-io/jetstream'

import { assertBoolean, assertWholeNumber, optionAssertion, refuseUnknownMembers } from '../../../lib/options.js'
import type { AssertOption, KnownOptions } from '../../../lib/options.js'
import { allSubjects, assertSubjectPrefix } from './subject.js'
import { DEDUPLICATION_WINDOW } from '../../../contracts/event-sink.js'

/** The stream for events: how it is created, or checked if it exists. */
export interface StreamOptions {
  /** Name of the stream. Default: `events`. */
  name?: string
  /** Prefix of the subjects `<subjectPrefix>.<org>.<source>.<type>`. Default: `events`. */
  subjectPrefix?: string
  /** Number of brokers that store each event: 1, 3 or 5. An existing stream may have more. Default: 1. */
  replicas?: number
  /** Milliseconds until the broker deletes an event, at least `duplicateWindow`. Default: never, or as configured. */
  maxAge?: number
  /** Maximum size of the stream on each broker, bytes. Default: no limit, or as configured. */
  maxBytes?: number
  /** At `maxBytes`: `new` refuses new events (503), `old` deletes the oldest stored events. Default: `new`. */
  discard?: 'new' | 'old'
  /**
   * How long the broker remembers each `Nats-Msg-Id` in memory, milliseconds. Default: 24 hours; 2 minutes with
   * `packing: 'flush'`, where it only has to cover the sink's own retries.
   */
  duplicateWindow?: number
  /** Creates a missing stream; with `false`, a missing stream is an error. Default: `true`. */
  create?: boolean
}

export type StreamSettings =
  & Required<Omit<StreamOptions, 'maxAge' | 'maxBytes'>>
  & Pick<StreamOptions, 'maxAge' | 'maxBytes'>

const KNOWN: KnownOptions<StreamOptions> = {
  name: true,
  subjectPrefix: true,
  replicas: true,
  maxAge: true,
  maxBytes: true,
  discard: true,
  duplicateWindow: true,
  create: true
}
const assertOption: AssertOption = optionAssertion('jetstream')
const PACKED_WINDOW = 2 * 60_000
const NANOS = 1_000_000
const NOT_FOUND = 10059
/** Error codes of the broker while another instance creates the same stream with other settings. */
const CREATED_ELSEWHERE: ReadonlySet<unknown> = new Set([
  10058, // stream name already in use
  10065 // subjects overlap with an existing stream, which may be this one
])
/** Twice the largest accepted event, as JSON escaping doubles quotes and backslashes, and as much for the additions. */
const MAX_MESSAGE_SIZE = 256 * 1024

export function streamSettings (options: StreamOptions, packed: boolean): StreamSettings {
  refuseUnknownMembers('jetstreamSink', 'stream.', options, KNOWN)
  const { name = 'events', subjectPrefix = 'events', replicas = 1, maxAge, maxBytes, discard = 'new', create = true } =
    options
  const { duplicateWindow = packed ? PACKED_WINDOW : DEDUPLICATION_WINDOW } = options
  assertName('stream.name', name)
  assertSubjectPrefix(subjectPrefix)
  assertOption([1, 3, 5].includes(replicas), 'stream.replicas', '1, 3 or 5', replicas)
  assertOption(discard === 'new' || discard === 'old', 'stream.discard', '"new" or "old"', discard)
  assertWholeNumber('jetstream', 'stream.duplicateWindow', duplicateWindow, { min: 100, unit: 'milliseconds' })
  if (maxAge !== undefined) {
    assertWholeNumber('jetstream', 'stream.maxAge', maxAge, { unit: 'milliseconds' })
    assertOption(
      maxAge >= duplicateWindow,
      'stream.maxAge',
      `at least "stream.duplicateWindow" (${duplicateWindow})`,
      maxAge
    )
  }
  if (maxBytes !== undefined) assertWholeNumber('jetstream', 'stream.maxBytes', maxBytes, { unit: 'bytes' })
  assertBoolean('jetstream', 'stream.create', create)
  const limits = { ...(maxAge === undefined ? {} : { maxAge }), ...(maxBytes === undefined ? {} : { maxBytes }) }
  return { name, subjectPrefix, replicas, discard, duplicateWindow, create, ...limits }
}

/** Throws `INVALID_OPTIONS` unless the value may be the name of a stream or of a consumer. */
export function assertName (option: string, value: string): void {
  assertOption(/^[A-Za-z0-9_-]{1,100}$/.test(value), option, '1 to 100 letters, digits, "_" or "-"', value)
}

/**
 * Creates the stream, or checks that an existing one meets the guarantees of the sink.
 *
 * @throws an Error that lists all problems of the stream, or says why the broker did not create it
 */
export async function ensureStream (manager: JetStreamManager, settings: StreamSettings): Promise<void> {
  const { name } = settings
  const config = await configOf(manager, name) ?? await create(manager, settings)
  const problems = problemsOf(config, settings)
  if (problems.length > 0) throw new Error(`jetstream: the stream "${name}" exists, but ${problems.join('; ')}`)
}

async function configOf (manager: JetStreamManager, name: string): Promise<StreamConfig | null> {
  try {
    return (await manager.streams.info(name)).config
  } catch (cause) {
    if (codeOf(cause) === NOT_FOUND) return null
    throw new Error(`jetstream: cannot read the stream "${name}": ${messageOf(cause)}`, { cause })
  }
}

async function create (manager: JetStreamManager, settings: StreamSettings): Promise<StreamConfig> {
  const { name, subjectPrefix, replicas, maxAge, maxBytes, discard, duplicateWindow } = settings
  if (!settings.create) {
    throw new Error(`jetstream: the stream "${name}" does not exist; create it, or remove "create: false"`)
  }
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
    const other = CREATED_ELSEWHERE.has(codeOf(cause)) ? await configOf(manager, name) : null
    if (other !== null) return other
    throw new Error(`jetstream: cannot create the stream "${name}": ${messageOf(cause)}`, { cause })
  }
}

/** Returns the problems of a stream, each as the end of a sentence. */
function problemsOf (
  config: StreamConfig,
  { subjectPrefix, replicas, maxAge, maxBytes, discard, duplicateWindow }: StreamSettings
): string[] {
  const subjects = allSubjects(subjectPrefix)
  const limited = config.max_bytes > 0 || config.max_msgs > 0
  const checks: Array<[boolean, string]> = [
    [config.storage !== 'file', `its storage is "${config.storage}", not "file"`],
    [config.retention !== 'limits',
      `its retention is "${config.retention}", which deletes events that were read or have no consumer; set it to "limits"`],
    [config.no_ack === true, 'it does not acknowledge messages ("no_ack")'],
    [config.sealed, 'it is sealed'],
    [!(config.subjects ?? []).some((pattern) => covers(pattern, subjects)),
      `its subjects do not include "${subjects}"`],
    [config.num_replicas < replicas, `it has ${config.num_replicas} replicas, not ${replicas}`],
    [config.duplicate_window < duplicateWindow * NANOS,
      `its "duplicate_window" is ${
        config.duplicate_window / NANOS
      } ms, not ${duplicateWindow}, so duplicates would be stored; edit the stream, or set "stream.duplicateWindow"`],
    [limited && config.discard !== discard, `its "discard" is "${config.discard}", not "${discard}"`],
    [config.max_msgs_per_subject > 0 && !config.discard_new_per_subject,
      'it limits the events of a subject ("max_msgs_per_subject")'],
    [config.max_msg_size > 0 && config.max_msg_size < MAX_MESSAGE_SIZE,
      `its "max_msg_size" is ${config.max_msg_size}; set ${MAX_MESSAGE_SIZE} or more, as an event may have that size`],
    [maxAge !== undefined && config.max_age !== maxAge * NANOS,
      `its "max_age" is ${config.max_age / NANOS} ms, not ${maxAge}`],
    [maxBytes !== undefined && config.max_bytes !== maxBytes, `its "max_bytes" is ${config.max_bytes}, not ${maxBytes}`]
  ]
  return checks.flatMap(([applies, problem]) => applies ? [problem] : [])
}

/** @throws an Error when the broker's `max_payload` is smaller than the largest event */
export function assertMaxPayload (maxPayload: number): void {
  if (maxPayload < MAX_MESSAGE_SIZE) {
    throw new Error(`jetstream: the broker's "max_payload" is ${maxPayload}; set ${MAX_MESSAGE_SIZE} or more`)
  }
}

/** Whether `pattern` matches every subject of `subjects`, which ends in `>`. */
function covers (pattern: string, subjects: string): boolean {
  const tokens = subjects.split('.')
  const patterns = pattern.split('.')
  for (const [at, patternToken] of patterns.entries()) {
    if (patternToken === '>') return at < tokens.length
    const token = tokens[at]
    if (token === undefined || token === '>' || (patternToken !== '*' && patternToken !== token)) return false
  }
  return false
}

function codeOf (error: unknown): unknown {
  return (error as { code?: unknown } | null)?.code
}

function messageOf (error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
