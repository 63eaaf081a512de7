import { openCollector } from './collector'
import type { Calls, Collector } from './collector'
import { isKey, readSettings } from './settings'
import type { Settings } from './settings'
import { openStore } from './store'
import { ownTags } from './tags'
import { warn } from './warn'

type Call = [name: string, ...parameters: unknown[]]

const NAMES: ReadonlyArray<keyof Calls> = ['track', 'page', 'identify', 'group', 'consent', 'reset']
const MAX_WAITING = 500

/** Installs the collector on `window`, where an array may hold calls made before the script was loaded. */
function install (settings: Settings): void {
  const globals = window as unknown as Record<string, unknown>
  const before = globals[settings.global]
  if (before !== undefined && !Array.isArray(before)) {
    return warn(`window.${settings.global} is taken: set another name with data-global`)
  }

  let collector: Collector | null = null
  // Calls that were made before the key was known.
  let waiting: unknown[] = []
  let started = false

  function push (...calls: unknown[]): void {
    for (const one of calls) {
      if (isInit(one)) continue
      if (collector !== null) call(collector.calls, one)
      else if (!started && waiting.length < MAX_WAITING) waiting.push(one)
    }
    // Runs last, because it sends the waiting calls, wherever `init` is among them.
    for (const one of calls) if (isInit(one)) init(one[1])
  }

  function init (key: unknown): void {
    if (!isKey(key)) return warn('init() requires a pipeline key')
    if (settings.key === '') settings.key = key
    if (settings.key !== key) return warn('init() with another pipeline key is ignored')
    if (!started) start()
  }

  function start (): void {
    started = true
    if (settings.problem !== null) return warn(`${settings.problem}: no events are sent`)
    collector = open(settings)
    if (collector === null) return
    // Earlier calls run first, so that their user and consent also apply to the page view.
    for (const one of waiting) call(collector.calls, one)
    waiting = []
    collector.start()
  }

  const api: Record<string, unknown> = { push }
  for (const name of [...NAMES, 'init']) api[name] = (...parameters: unknown[]) => push([name, ...parameters])
  globals[settings.global] = api

  push(...(before ?? []) as unknown[])
  if (settings.key === '' && settings.problem === null) {
    warn(`data-pipeline-key is missing: no events are sent before ${settings.global}.push(['init', key])`)
  } else if (!started) {
    start()
  }
}

function isInit (one: unknown): one is Call {
  return Array.isArray(one) && one[0] === 'init'
}

function open (settings: Settings): Collector | null {
  const store = openStore(`_df.${settings.key}.`)
  if (settings.respectGpc && (navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl === true) {
    for (const name of store.names('')) store.remove(name)
    return null
  }
  return openCollector(settings, store)
}

/** An invalid call must not break the page. */
function call (calls: Calls, one: unknown): void {
  try {
    const [name, ...parameters] = one as Call
    if (!NAMES.includes(name as keyof Calls)) throw new TypeError(`there is no ${name}()`)
    ;(calls[name as keyof Calls] as (...parameters: unknown[]) => void)(...parameters)
  } catch (error) {
    warn(String(error))
  }
}

for (const tag of ownTags()) install(readSettings(tag))
