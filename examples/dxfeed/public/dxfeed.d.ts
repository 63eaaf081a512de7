interface Widget {
  addStateListener (listener: (state: unknown) => void): void
}

/** Defined by the widget's script. */
declare function newSimpleChartWidget (options: object): Widget
