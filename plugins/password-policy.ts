import { COMMON_PASSWORDS } from './common-passwords.js'

/** The least number of characters of a password. */
export const MIN_PASSWORD_LENGTH = 12
/** The most: a longer text costs more to hash than it adds. */
export const MAX_PASSWORD_LENGTH = 1024

const EDGES = /^[^a-z]+|[^a-z]+$/g
const REPEATED = /^(.{1,4}?)\1{2,}.{0,3}$/s
/** With more than this around it, a common word is not what the password rests on. */
const MAX_AROUND = 6
const LETTERS: Readonly<Record<string, string>> = { 0: 'o', 3: 'e', 4: 'a', 5: 's', 7: 't', '@': 'a', $: 's', '!': 'i' }
const LEET = /[013457@$!]/g
const RUNS = ['0123456789012345678901234567890', 'abcdefghijklmnopqrstuvwxyz', 'qwertyuiopasdfghjklzxcvbnm']
const COMMON = new Set(COMMON_PASSWORDS)

/**
 * Why a password is not good enough, in words for its owner, or `null`. A common password stays one with digits and signs around
 * it (`Password1234!`), with signs for letters, or twice in a row.
 */
export function passwordFault (password: string, email = ''): string | null {
  const length = [...password].length
  if (length < MIN_PASSWORD_LENGTH) return `The password must have at least ${MIN_PASSWORD_LENGTH} characters`
  if (password.length > MAX_PASSWORD_LENGTH) return `The password must have at most ${MAX_PASSWORD_LENGTH} characters`
  const folded = password.normalize('NFKC').toLowerCase()
  if (isCommon(folded)) return 'The password is too common'
  const [name = ''] = email.toLowerCase().split('@')
  if (folded === email.toLowerCase() || (name.length > 3 && folded.replace(EDGES, '') === name)) return 'The password must not be the email address'
  return null
}

function isCommon (text: string): boolean {
  const word = text.replace(EDGES, '')
  const words = text.length - word.length <= MAX_AROUND ? [text, word] : [text]
  if (words.some((candidate) => COMMON.has(candidate) || ['i', 'l'].some((one) => COMMON.has(unleet(candidate, one))))) return true
  if (REPEATED.test(text) || RUNS.some((run) => run.includes(text) || [...run].reverse().join('').includes(text))) return true
  const half = text.slice(0, text.length / 2)
  return half + half === text && COMMON.has(half)
}

/** The text with letters for the signs that stand for them; a 1 may be one of two. */
function unleet (text: string, one: string): string {
  return text.replace(LEET, (sign) => LETTERS[sign] ?? one)
}
