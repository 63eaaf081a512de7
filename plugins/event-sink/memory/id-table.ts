import { randomInt } from 'node:crypto'

const FIRST_SIZE = 1024
const FREE = -1

/**
 * Finds event numbers by a string without storing the string: each slot holds a hash and a number, and the caller
 * checks whether the event with that number matches. Numbers grow; numbers below `first` are dropped.
 */
export class IdTable {
  #hashes = new Int32Array(FIRST_SIZE)
  #numbers = new Float64Array(FIRST_SIZE).fill(FREE)
  #used = 0
  // Random per process, so that a client cannot prepare ids that collide.
  readonly #seed = randomInt(2 ** 31)

  hash (value: string): number {
    let hash = this.#seed
    for (let at = 0; at < value.length; at++) {
      hash = Math.imul(hash ^ value.charCodeAt(at), 0x5bd1e995)
      hash ^= hash >>> 15
    }
    return hash
  }

  /** Returns the slot of the event with this hash, or the free slot for it. */
  slot (hash: number, isMatch: (number: number) => boolean): number {
    const mask = this.#numbers.length - 1
    let slot = hash & mask
    for (;;) {
      const number = this.#numbers[slot] ?? FREE
      if (number === FREE || (this.#hashes[slot] === hash && isMatch(number))) return slot
      slot = (slot + 1) & mask
    }
  }

  /** Returns the number in a slot; `null` for a free slot. */
  at (slot: number): number | null {
    const number = this.#numbers[slot] ?? FREE
    return number === FREE ? null : number
  }

  set (slot: number, hash: number, number: number, first: number): void {
    if (this.#numbers[slot] === FREE) this.#used++
    this.#numbers[slot] = number
    this.#hashes[slot] = hash
    if (this.#used * 2 > this.#numbers.length) this.#rebuild(first)
  }

  #rebuild (first: number): void {
    const [hashes, numbers] = [this.#hashes, this.#numbers]
    const live = numbers.reduce((count, number) => number >= first ? count + 1 : count, 0)
    const size = 2 ** Math.ceil(Math.log2(Math.max(FIRST_SIZE, live * 4)))
    this.#hashes = new Int32Array(size)
    this.#numbers = new Float64Array(size).fill(FREE)
    this.#used = live
    for (const [at, number] of numbers.entries()) {
      if (number < first) continue
      const hash = hashes[at] ?? 0
      const slot = this.slot(hash, () => false)
      this.#hashes[slot] = hash
      this.#numbers[slot] = number
    }
  }
}
