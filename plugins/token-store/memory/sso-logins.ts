import { CONFLICT } from '../../../lib/errors.js'
import type { SsoLogins } from '../../../contracts/token-store/index.js'

export class MemorySsoLogins implements SsoLogins {
  readonly #now: () => number
  readonly #logins = new Map<string, { sealed: string, expiresAt: number }>()

  constructor (now: () => number) {
    this.#now = now
  }

  async put ({ digest, sealed, expiresAt }: { digest: string, sealed: string, expiresAt: number }): Promise<void> {
    if (this.#logins.has(digest)) throw new CONFLICT()
    this.#logins.set(digest, { sealed, expiresAt })
  }

  async take (digest: string): Promise<string | null> {
    const login = this.#logins.get(digest)
    this.#logins.delete(digest)
    return login === undefined || login.expiresAt <= this.#now() ? null : login.sealed
  }

  sweep (): void {
    for (const [digest, { expiresAt }] of this.#logins) if (expiresAt <= this.#now()) this.#logins.delete(digest)
  }
}
