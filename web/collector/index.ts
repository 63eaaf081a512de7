import { openCollector } from './collector'
import type { Calls, Collector } from './collector'
import { readSettings } from './settings'
import type { Settings } from './settings'
import { openStore } from './store'
import { warn } from './warn'

type Call = [name: string, ...parameters: unknown[]]

const NAMES: ReadonlyArray<keyof Calls> = ['track', 'page', 'identify', 'group', 'consent', 'reset']

/** Puts the collector on `window`, where a list may hold calls that were made before it was there. */
function install (settings: Settings): void {
  const globals = window as unknown as Record<string, unknown>
  const before = globals[settings.global]
  if (before !== undefined && !Array.isArray(before)) return warn(`window.${settings.global} is taken: give another name by data-global`)

  const collector = settings.fault === null ? open(settings) : null
  if (settings.fault !== null) warn(`${settings.fault}: no event is sent`)
  const api: Record<string, unknown> = {}
  for (const name of NAMES) {
    api[name] = (...parameters: unknown[]) => { if (collector !== null) call(collector.calls, [name, ...parameters]) }
  }
  api['push'] = (...calls: Call[]) => { if (collector !== null) for (const one of calls) call(collector.calls, one) }
  globals[settings.global] = api

  if (collector === null) return
  // First what the page said before: who it is and what they consent to counts for the page view as well.
  for (const one of (before ?? []) as Call[]) call(collector.calls, one)
  collector.start()
}

function open (settings: Settings): Collector | null {
  const store = openStore(`_df.${settings.key}.`)
  if (settings.respectGpc && (navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl === true) {
    for (const name of store.names('')) store.remove(name)
    return null
  }
  return openCollector(settings, store)
}

/** A mistake in a call is no reason to break the page. */
function call (calls: Calls, one: Call): void {
  try {
    const [name, ...parameters] = one
    if (!NAMES.includes(name as keyof Calls)) throw new TypeError(`there is no ${name}()`)
    ;(calls[name as keyof Calls] as (...parameters: unknown[]) => void)(...parameters)
  } catch (error) {
    warn(String(error))
  }
}

install(readSettings())
