interface StepsProps {
  steps: readonly string[]
  /** From 0. */
  current: number
}

/** The steps of a task, and which one is current. */
export function Steps ({ steps, current }: StepsProps) {
  return (
    <ol class='steps' aria-label='Steps'>
      {steps.map((step, at) => (
        <li key={step} class={at < current ? 'done' : undefined} aria-current={at === current ? 'step' : undefined}>
          <span class='number' aria-hidden='true'>{at < current ? '✓' : at + 1}</span>
          <span>{step}{at < current ? <span class='visually-hidden'> (done)</span> : null}</span>
        </li>
      ))}
    </ol>
  )
}
