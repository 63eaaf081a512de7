interface SegmentsProps {
  /** What is chosen, for screen readers: "Period". */
  label: string
  /** The choices; each is a link, so that the choice is in the URL. */
  items: ReadonlyArray<{ href: string, label: string, current: boolean }>
}

/** A choice of a few views of a page. */
export function Segments ({ label, items }: SegmentsProps) {
  return (
    <nav class='segments' aria-label={label}>
      {items.map(({ href, label: text, current }) => (
        <a key={href} href={href} aria-current={current ? 'true' : undefined}>{text}</a>
      ))}
    </nav>
  )
}
