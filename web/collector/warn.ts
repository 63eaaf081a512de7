const said = new Set<string>()

/** Tells whoever builds the page, once each. */
export function warn (text: string): void {
  if (said.has(text)) return
  said.add(text)
  console.warn(`[d.js] ${text}`)
}
