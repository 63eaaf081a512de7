/** The first browser whose pattern matches names the device: later names also occur in the strings of earlier ones. */
const BROWSERS: ReadonlyArray<readonly [name: string, pattern: RegExp]> = [
  ['Edge', /\b(?:Edg|EdgA|EdgiOS)\/(\d{1,4})/],
  ['Opera', /\bOPR\/(\d{1,4})/],
  ['Samsung Internet', /\bSamsungBrowser\/(\d{1,4})/],
  ['Firefox', /\b(?:Firefox|FxiOS)\/(\d{1,4})/],
  ['Chrome', /\b(?:Chrome|CriOS|HeadlessChrome)\/(\d{1,4})/],
  ['Safari', /\bVersion\/(\d{1,4})[^ ]{0,20} (?:Mobile\/[^ ]{1,20} )?Safari\//]
]
const SYSTEMS: ReadonlyArray<readonly [name: string, pattern: RegExp]> = [
  ['iPadOS', /\biPad\b/],
  ['iOS', /\b(?:iPhone|iPod)\b/],
  ['Android', /\bAndroid\b/],
  ['ChromeOS', /\bCrOS\b/],
  ['Windows', /\bWindows NT\b/],
  ['macOS', /\bMac OS X\b/],
  ['Linux', /\bLinux\b/]
]
/** The name of a client that is no browser, such as `curl/8.5.0`. */
const PRODUCT = /^([A-Za-z][A-Za-z0-9._-]{0,40})(?:\/(\d{1,4}))?/

/**
 * Returns the browser and the operating system in a `User-Agent` header, for a list that a person reads; `null` if the
 * header names neither. A client can send any header, so the result proves nothing.
 *
 * @example deviceName('Mozilla/5.0 (X11; Linux x86_64) … Chrome/126.0.0.0 Safari/537.36') // 'Chrome 126 on Linux'
 */
export function deviceName (userAgent: string): string | null {
  const browser = nameIn(userAgent, BROWSERS)
  const system = nameIn(userAgent, SYSTEMS)
  if (browser !== null && system !== null) return `${browser} on ${system}`
  if (browser !== null || system !== null) return browser ?? system
  const [, name, version] = PRODUCT.exec(userAgent) ?? []
  if (name === undefined || name === 'Mozilla') return null
  return version === undefined ? name : `${name} ${version}`
}

function nameIn (userAgent: string, patterns: typeof BROWSERS): string | null {
  for (const [name, pattern] of patterns) {
    const match = pattern.exec(userAgent)
    if (match !== null) return match[1] === undefined ? name : `${name} ${match[1]}`
  }
  return null
}
