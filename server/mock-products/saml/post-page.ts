import { escapeHtml, page } from '../page.js'

/**
 * Returns the page that sends a message in the HTTP-POST binding: a script submits its form, and a button does without
 * scripts.
 */
export function postPage (
  target: string,
  name: 'SAMLResponse',
  xml: string,
  relayState: string | null
): string {
  const fields = { [name]: Buffer.from(xml).toString('base64'), ...relayState === null ? {} : { RelayState: relayState } }
  const inputs = Object.entries(fields).map(([field, value]) => {
    return `<input type="hidden" name="${field}" value="${escapeHtml(value)}">`
  })
  return page({
    title: 'Back to the app',
    script: 'submit-form.js',
    body: `<main class="identity">
<h1>Back to the app</h1>
<form method="post" action="${escapeHtml(target)}">
${inputs.join('\n')}
<p><button>Continue</button></p>
</form>
</main>`
  })
}
