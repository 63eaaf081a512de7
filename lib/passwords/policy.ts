import { ZxcvbnFactory } from '@zxcvbn-ts/core'
import { adjacencyGraphs, dictionary as common } from '@zxcvbn-ts/language-common'
import { dictionary as english, translations } from '@zxcvbn-ts/language-en'

/** The least number of characters of a password. */
export const MIN_PASSWORD_LENGTH = 12
/** The greatest number: a longer password costs more to hash than it adds. */
export const MAX_PASSWORD_LENGTH = 1024

/** zxcvbn's grade from which a password withstands guessing online and, slowly hashed, offline: more than 10^8 guesses. */
const MIN_SCORE = 3
// The estimate takes time that grows faster than the length and the number of letters that signs can stand for: with these, at most
// some 50 ms. A password whose beginning is strong is strong.
const MAX_ESTIMATED_LENGTH = 48
const MAX_LEET_SUBSTITUTIONS = 20

let estimator: ZxcvbnFactory | undefined

/**
 * Why a password is not good enough, as a message for its owner, or `null`. Refuses what zxcvbn guesses: common passwords, with
 * digits around them or signs for letters too, words, names, repeats, sequences and keyboard patterns, and the owner's email address.
 * This module loads word lists of some megabytes, so that it is imported only where passwords are set.
 *
 * @example passwordFault('Password1234!') // 'The password is too common or too easy to guess. …'
 */
export function passwordFault (password: string, email = ''): string | null {
  const length = [...password].length
  if (length < MIN_PASSWORD_LENGTH) return `The password must have at least ${MIN_PASSWORD_LENGTH} characters`
  if (password.length > MAX_PASSWORD_LENGTH) return `The password must have at most ${MAX_PASSWORD_LENGTH} characters`
  const { score, sequence, feedback: { warning } } = estimate(password.normalize('NFKC'), ownWords(email))
  if (score >= MIN_SCORE) return null
  if (sequence.some(({ dictionaryName }) => dictionaryName === 'userInputs')) return 'The password is too close to the email address'
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

/** The address, its name and the parts of the name that are long enough to be recognised. */
function ownWords (email: string): string[] {
  const [name = ''] = email.split('@')
  return [email, name, ...name.split(/[._+-]/)].filter((word) => word.length > 3)
}
