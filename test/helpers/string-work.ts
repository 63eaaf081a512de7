export interface StringWork {
  /** Characters given to `JSON.parse`. */
  parsed: number
  /** Characters given to `normalize`, which takes quadratic time for some strings. */
  normalized: number
  /**
   * Characters read one by one, searched, matched by a regular expression, trimmed, split, percent-decoded or turned
   * into lower case.
   */
  read: number
}

type Method = (this: string, ...args: never[]) => unknown

/**
 * Counts the characters that built-in functions process while `act` runs, in the whole process. The counts are the
 * same on every machine, so that
 * a test can assert the cost of a call. A regular expression counts the characters up to the end of its match,
 * without those it reads again when it
 * backtracks.
 *
 * @example const { parsed } = await textWork(() => app.inject(request))
 */
export async function stringWork (act: () => unknown): Promise<StringWork> {
  const work: StringWork = { parsed: 0, normalized: 0, read: 0 }
  const originals = [
    replace(JSON, 'parse', (parse) =>
      function (...args: [string]) {
        work.parsed += String(args[0]).length
        return Reflect.apply(parse, JSON, args)
      }),
    replace(globalThis, 'decodeURIComponent', (decode) =>
      function (text: string) {
        work.read += text.length
        return decode(text)
      }),
    replace(String.prototype, 'charCodeAt', (charCodeAt) =>
      function (this: string, at: number) {
        work.read++
        return Reflect.apply(charCodeAt, this, [at])
      }),
    replace(String.prototype, 'indexOf', (indexOf) =>
      function (this: string, part: string, from = 0) {
        const found: number = Reflect.apply(indexOf, this, [part, from])
        work.read += (found === -1 ? this.length : found + 1) - Math.min(from, this.length)
        return found
      }),
    replace(RegExp.prototype, 'exec', (exec) =>
      function (this: RegExp, text: string) {
        const from = this.global || this.sticky ? this.lastIndex : 0
        const match = Reflect.apply(exec, this, [text])
        // A sticky expression looks at one place alone.
        work.read += match !== null ? match.index + match[0].length - from : this.sticky ? 1 : text.length - from
        return match
      }),
    replace(String.prototype, 'normalize', (normalize) =>
      function (this: string, form: string) {
        work.normalized += this.length
        return Reflect.apply(normalize, this, [form])
      }),
    ...(['trim', 'split', 'toLowerCase'] as const).map((name) =>
      replace(String.prototype, name, (whole) =>
        function (this: string, ...args: never[]) {
          work.read += this.length
          return Reflect.apply(whole as Method, this, args)
        })
    )
  ]
  try {
    await act()
  } finally {
    for (const restore of originals) restore()
  }
  return work
}

function replace<Holder extends object, Name extends keyof Holder> (
  holder: Holder,
  name: Name,
  replacement: (original: Holder[Name]) => unknown
): () => void {
  const original = holder[name]
  Object.defineProperty(holder, name, { value: replacement(original), writable: true, configurable: true })
  return () => {
    Object.defineProperty(holder, name, { value: original, writable: true, configurable: true })
  }
}
