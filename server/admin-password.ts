import type { Config } from './config/index.js'
import { ConfigError } from './config/problems.js'

/**
 * Rejects with a `ConfigError` if ADMIN_PASSWORD is easy to guess. Called only before the password is used, because the
 * word lists of the check take 30 MB.
 */
export async function checkAdminPassword ({ email, password }: Pick<Config['admin'], 'email' | 'password'>): Promise<void> {
  if (password === null) return
  const { passwordProblem } = await import('../lib/passwords/policy.js')
  const problem = passwordProblem(password, email)
  if (problem !== null) throw new ConfigError([`ADMIN_PASSWORD is refused: ${problem}`])
}
