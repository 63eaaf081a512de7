import { ZxcvbnFactory } from '@zxcvbn-ts/core'
import { adjacencyGraphs, dictionary as common } from '@zxcvbn-ts/language-common'
import { dictionary as english, translations } from '@zxcvbn-ts/language-en'

import { lengthProblem } from './length.js'

/**
 * Minimum zxcvbn score: more than 10^8 guesses, which resists online guessing and, with slow hashing, offline guessing.
 */
const MIN_SCORE = 3
// The time of the estimate grows faster than the length and the number of substituted letters. With these limits it
// takes at most about 50 ms. A password with a strong beginning is strong.
const MAX_ESTIMATED_LENGTH = 48
const MAX_LEET_SUBSTITUTIONS = 20

/** Names of this service, its roles and the products, which attackers try first. docs/admin-auth.md lists them. */
export const CONTEXT_WORDS: readonly string[] = ['fastify', 'gatehouse', 'databrain', 'boldbi', 'dxfeed', 'datafly',
  'owner', 'admin', 'administrator', 'editor', 'viewer']

let estimator: ZxcvbnFactory | undefined

/**
 * Returns why a password is too weak, as a message for the user, or `null`. Refuses passwords that zxcvbn guesses:
 * common passwords, even with digits or letter substitutions, words, names, repeats, sequences, keyboard patterns, the
 * user's e-mail address, `CONTEXT_WORDS` and `words`. Imported only where passwords are set, because the word lists
 * take some megabytes.
 *
 * @example passwordProblem('Password1234!') // 'The password is too common or too easy to guess. …'
 */
export function passwordProblem (password: string, email = '', words: readonly string[] = []): string | null {
  const tooShortOrLong = lengthProblem(password)
  if (tooShortOrLong !== null) return tooShortOrLong
  const { score, sequence, feedback: { warning } } = estimate(
    password.normalize('NFKC'),
    [...personalWords(email), ...CONTEXT_WORDS, ...words]
  )
  if (score >= MIN_SCORE) return null
  const matched = sequence.filter(({ dictionaryName }) => dictionaryName === 'userInputs')
  if (matched.length > 0) {
    const personal = new Set(personalWords(email).map((word) => word.toLowerCase()))
    return matched.some(({ matchedWord }) => personal.has(String(matchedWord)))
      ? 'The password is too close to the email address'
      : 'The password is too close to a name of this service'
  }
  return `The password is too common or too easy to guess${warning === null ? '' : `. ${warning}`}`
}

function estimate (password: string, words: string[]) {
  estimator ??= new ZxcvbnFactory({
    dictionary: { ...common, ...english },
    graphs: adjacencyGraphs,
    translations,
    maxLength: MAX_ESTIMATED_LENGTH,
    l33tMaxSubstitutions: MAX_LEET_SUBSTITUTIONS
  })
  return estimator.check(password, words)
}

/** Returns the address, its name, and the parts of the name that are long enough to be recognised. */
function personalWords (email: string): string[] {
  const [name = ''] = email.split('@')
  return [email, name, ...name.split(/[._+-]/)].filter((word) => word.length > 3)
}
