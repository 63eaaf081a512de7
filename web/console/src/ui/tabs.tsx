interface TabsProps {
  /** What the tabs are, for screen readers: "Parts of the source". */
  label: string
  /** Each tab is a link, so that it is in the URL. */
  items: ReadonlyArray<{ href: string, label: string, current: boolean }>
}

/** The parts of a page. */
export function Tabs ({ label, items }: TabsProps) {
  return (
    <nav class='tabs' aria-label={label}>
      {items.map(({ href, label: text, current }) => (
        <a key={href} href={href} aria-current={current ? 'page' : undefined}>{text}</a>
      ))}
    </nav>
  )
}
