import { CopyButton } from './copy.tsx'

/** Code to copy. `what` names it, such as "script tag". */
export function CodeBlock ({ code, what }: { code: string, what: string }) {
  return (
    <div class='code-block'>
      <pre tabIndex={0} role='group' aria-label={what}><code>{code}</code></pre>
      <CopyButton value={code} what={what} />
    </div>
  )
}
