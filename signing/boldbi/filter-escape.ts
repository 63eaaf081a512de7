/**
 * How a value is escaped in `embed_datasource_filter`. The source of both escapes is Bold BI's documentation, page
 * "Filtering views through URL parameters" (working-with-dashboards/preview-dashboard/urlparameters):
 * - section "Limitations of URL Parameter": `,`, `&` and `|` in a value are enclosed in tildes, `Syncfusion Inc~,~`;
 * - section "Special Characters Support": a value with parentheses or angle brackets is enclosed in square brackets,
 *   shown for a single value and for `IN`, `Name=[value (x)]` and `Name=IN([value (x)],[y])`.
 */

const SEPARATORS = /[,&|]/g
/** A percent-encoded ASCII character, also in .NET's own spelling. */
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
 * escapeFault('Johnson & Johnson', { brackets: true }) // null
 * escapeFault('50% ~ 60%', { brackets: true }) // 'must not contain "~": Bold BI documents no escape for it'
 */
export function escapeFault (value: string, { brackets }: FilterPlace): string | null {
  for (const character of NO_ESCAPE) {
    if (value.includes(character)) return `must not contain "${character}": Bold BI documents no escape for it`
  }
  const special = BRACKETED.exec(value)
  if (special === null || brackets) return null
  return `must not contain "${special[0]}": Bold BI documents an escape for it in fields only, and there only for one value and isIn`
}

/**
 * The value as it is written in a filter. Only for values without an `escapeFault`.
 *
 * @example
 * escapedValue('Johnson & Johnson') // 'Johnson ~&~ Johnson'
 * escapedValue('Acme (EU), Inc') // '[Acme (EU)~,~ Inc]'
 */
export function escapedValue (value: string): string {
  const text = value.replace(SEPARATORS, '~$&~')
  return BRACKETED.test(value) ? `[${text}]` : text
}

/**
 * Returns whether a comma between two of these values would itself be enclosed in tildes, so that two values could be
 * read as one.
 */
export function isAmbiguousList (values: readonly string[]): boolean {
  const texts = values.map(escapedValue)
  return texts.some((text, at) => text.endsWith('~') && texts[at + 1]?.startsWith('~') === true)
}

/**
 * Throws a TypeError that names `field` for a value with a percent-encoded character: a reader that decodes a second
 * time, as the servers in front of Bold BI may, would find the end of the value in it. A lone "%" is no such character.
 *
 * @example
 * assertNotEncoded('email', 'ann%26embed_authorize_group=1@example.com') // throws
 */
export function assertNotEncoded (field: string, value: string): void {
  if (PERCENT_ENCODED.test(value)) throw new TypeError(`${field}: must not contain a percent-encoded character such as "%26"`)
}
