/** Minimum number of characters of a password. */
export const MIN_PASSWORD_LENGTH = 12
/** Maximum number of characters: a longer password costs more to hash without being stronger. */
export const MAX_PASSWORD_LENGTH = 1024

/** Returns why the length of a password is refused, as a message for the user, or `null`. */
export function lengthProblem (password: string): string | null {
  const length = [...password].length
  if (length < MIN_PASSWORD_LENGTH) return `The password must have at least ${MIN_PASSWORD_LENGTH} characters`
  if (password.length > MAX_PASSWORD_LENGTH) return `The password must have at most ${MAX_PASSWORD_LENGTH} characters`
  return null
}
