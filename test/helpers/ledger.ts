import type { Test } from 'tap'

import type { EventLoad, Sending } from './event-load.js'
import type { ServerProcess } from './server-process.js'
import { logIn, storedIds } from './server-session.js'

/** What was sent to a server that was stopped now and then, to be held against what it has stored. */
export class Ledger {
  readonly acknowledged = new Set<string>()
  readonly sent = new Set<string>()
  /** The requests that await their repeat. */
  open: readonly Sending[] = []
  #whole = 0
  #torn = 0
  /** Of what is new since the last audit, and older repeats. */
  #recent: readonly string[] = []
  #since = Date.now()

  note ({ acknowledged, sent, unacknowledged }: EventLoad): void {
    for (const id of acknowledged) this.acknowledged.add(id)
    for (const id of sent) this.sent.add(id)
    this.#recent = acknowledged
    this.open = unacknowledged
  }

  /**
   * After a restart, before anything is repeated: what was acknowledged since the last audit is there, once; each
   * request that was cut off
   * is there whole or not at all.
   */
  async audit (t: Test, server: ServerProcess, password: string): Promise<void> {
    const stored = await storedIds(server, await logIn(server, password), new Date(this.#since))
    t.equal(this.#recent.filter((id) => !stored.has(id)).length, 0, 'lost')
    t.equal([...stored.values()].filter((times) => times > 1).length, 0, 'twice')
    const parts = this.open.map(({ ids }) => ids.filter((id) => stored.has(id)).length / ids.length)
    const torn = parts.filter((part) => part > 0 && part < 1)
    t.same(torn, [], 'stored in part')
    this.#torn += torn.length
    this.#whole += parts.filter((part) => part === 1).length
    this.#recent = []
    this.#since = Math.min(Date.now(), ...this.open.map(({ since }) => since))
  }

  /** The same of everything; gives the figures as a sentence. */
  async settle (t: Test, server: ServerProcess, password: string): Promise<string> {
    const stored = await storedIds(server, await logIn(server, password))
    const lost = [...this.acknowledged].filter((id) => !stored.has(id)).length
    const twice = [...stored.values()].filter((times) => times > 1).length
    t.equal(lost, 0, 'lost')
    t.equal(twice, 0, 'twice')
    t.equal([...stored.keys()].filter((id) => !this.sent.has(id)).length, 0, 'never sent')
    return `${this.acknowledged.size} events acknowledged, ${stored.size} stored, ${lost} lost, ${twice} twice; ` +
      `of the requests that were cut off ${this.#whole} were stored whole and ${this.#torn} in part`
  }
}
