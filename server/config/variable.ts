import { Type } from '@sinclair/typebox'

export interface Variable {
  /** Description of the variable; shown by `--help`. */
  about: string
  /** End of the error message "NAME must be …". */
  expected: string
  /** Shown by `--help` as the default if the schema has no default. */
  otherwise?: string
}

export const text = (about: string, options: { maxLength?: number, otherwise?: string } = {}) =>
  Type.Optional(Type.String({
    maxLength: 8_192,
    expected: `a string of at most ${options.maxLength ?? 8_192} characters`,
    about,
    ...options
  }))

export const integer = (about: string, minimum: number, maximum: number, fallback: number) =>
  Type.Integer({ minimum, maximum, default: fallback, about, expected: `an integer from ${minimum} to ${maximum}` })

export const oneOf = <const Values extends readonly [string, ...string[]]>(
  about: string,
  values: Values,
  fallback: Values[number]
) =>
    Type.Unsafe<Values[number]>(
      Type.Union(values.map((value) => Type.Literal(value)), {
        default: fallback,
        about,
        expected: `one of ${values.join(', ')}`
      })
    )

export const matching = (about: string, pattern: string, expected: string, options: { otherwise?: string } = {}) =>
  Type.Optional(Type.String({ maxLength: 8_192, pattern, about, expected, ...options }))

export const product = (name: string) => oneOf(`\`off\` disables ${name}`, ['on', 'off'], 'on')
