export type LabelValue = string | number | undefined
export type Labels = Readonly<Record<string, string | number>>

type Level<Value> = Map<LabelValue, Value>

/**
 * The series of a metric, found by the values of up to three labels in their order. A look-up of a known series
 * creates no object and no string; `undefined` is a label that the series does not have.
 */
export class Series<Cell> {
  /** All series in the order of their creation. */
  readonly all: Array<{ labels: Labels, cell: Cell }> = []
  readonly #names: readonly string[]
  readonly #create: () => Cell
  readonly #cells: Level<Level<Level<Cell>>> = new Map()

  constructor (names: readonly string[], create: () => Cell) {
    this.#names = names
    this.#create = create
    // Prometheus sees an increase only of a series that exists.
    if (names.length === 0) this.at()
  }

  /** Returns a series, which is created when it is first used. */
  at (first?: LabelValue, second?: LabelValue, third?: LabelValue): Cell {
    return this.#cells.get(first)?.get(second)?.get(third) ?? this.#add(first, second, third)
  }

  #add (first: LabelValue, second: LabelValue, third: LabelValue): Cell {
    const values = [first, second, third]
    const labels: Record<string, string | number> = {}
    for (const [at, name] of this.#names.entries()) {
      const value = values[at]
      if (value !== undefined) labels[name] = value
    }
    const cell = this.#create()
    this.all.push({ labels, cell })
    levelOf(levelOf(this.#cells, first), second).set(third, cell)
    return cell
  }
}

function levelOf<Value> (level: Level<Level<Value>>, label: LabelValue): Level<Value> {
  let next = level.get(label)
  if (next === undefined) level.set(label, next = new Map())
  return next
}
