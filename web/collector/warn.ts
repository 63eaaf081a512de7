const logged = new Set<string>()

/** Logs a warning for the developer of the page, each message once. */
export function warn (message: string): void {
  if (logged.has(message)) return
  logged.add(message)
  console.warn(`[d.js] ${message}`)
}
