const said = new Set<string>()

/** Logs a warning for the developer of the page, each message once. */
export function warn (text: string): void {
  if (said.has(text)) return
  said.add(text)
  console.warn(`[d.js] ${text}`)
}
