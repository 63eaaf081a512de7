/**
 * How a value is escaped in `embed_datasource_filter`. The source of both escapes is Bold BI's documentation, page
 * "Filtering views through URL parameters" (working-with-dashboards/preview-dashboard/urlparameters):
 * - section "Limitations of URL Parameter": `,`, `&` and `|` in a value are enclosed in tildes, `Syncfusion Inc~,~`;
 * - section "Special Characters Support": a value with parentheses or angle brackets is enclosed in square brackets,
 *   shown for a single value and for `IN`, `Name=[value (x)]` and `Name=IN([value (x)],[y])`.
 */

const SEPARATORS = /[,&|]/g
/** A percent-encoded ASCII character, also in the .NET form `%u0041`. */
const PERCENT_ENCODED = /%(?:u00)?[0-7][0-9a-f]/i
const BRACKETED = /[()<>]/
/**
 * Characters without a usable escape. `[` and `]` are documented inside square brackets, but nothing documents which
 * `]` then ends the value. `}` ends the list, `~` and `=` are syntax, and `#` is documented for links of widgets only.
 */
const NO_ESCAPE = '#[]{}~='

/** The part of the filter syntax in which a value is used. */
export interface FilterPlace {
  /** Whether Bold BI documents square brackets for this operator and this kind of filter. */
  brackets: boolean
}

/**
 * Returns why a value has no documented spelling, or `null` if it has one. The reason does not contain the value.
 *
 * @example
 * escapeError('Johnson & Johnson', { brackets: true }) // null
 * escapeError('50% ~ 60%', { brackets: true }) // 'must not contain "~": Bold BI documents no escape for it'
 */
export function escapeError (value: string, { brackets }: FilterPlace): string | null {
  for (const character of NO_ESCAPE) {
    if (value.includes(character)) return `must not contain "${character}": Bold BI documents no escape for it`
  }
  const special = BRACKETED.exec(value)
  if (special === null || brackets) return null
  return `must not contain "${
    special[0]
  }": Bold BI documents an escape for it in fields only, and there only for one ` +
    'value and isIn'
}

/**
 * Returns the value escaped for a filter. Call it only for values without an `escapeError`.
 *
 * @example
 * escapeValue('Johnson & Johnson') // 'Johnson ~&~ Johnson'
 * escapeValue('Acme (EU), Inc') // '[Acme (EU)~,~ Inc]'
 */
export function escapeValue (value: string): string {
  const escaped = value.replace(SEPARATORS, '~$&~')
  return BRACKETED.test(value) ? `[${escaped}]` : escaped
}

/**
 * Returns whether a comma between two of these values would itself be enclosed in tildes, so that two values could be
 * read as one.
 */
export function isAmbiguousList (values: readonly string[]): boolean {
  const strings = values.map(escapeValue)
  return strings.some((string, at) => string.endsWith('~') && strings[at + 1]?.startsWith('~') === true)
}

/**
 * Throws a TypeError that names `field` if the value contains a percent-encoded character. A server in front of Bold BI
 * may decode a second time and then end the value at that character. A "%" that starts no encoding is allowed.
 *
 * @example
 * assertNotEncoded('email', 'ann%26embed_authorize_group=1@example.com') // throws
 */
export function assertNotEncoded (field: string, value: string): void {
  if (!PERCENT_ENCODED.test(value)) return
  throw new TypeError(`${field}: must not contain a percent-encoded character such as "%26"`)
}
