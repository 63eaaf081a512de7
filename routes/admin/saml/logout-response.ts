import type { SamlSettings } from '../../../schemas/admin-saml.js'
import { signUrl } from './redirect-binding.js'
import type { SamlTools, Side } from './tools.js'
import { escapeXml } from './xml.js'

/** A LogoutResponse to send. */
export interface LogoutAnswer {
  settings: SamlSettings
  side: Side
  /** The id of the LogoutRequest. */
  requestId: string
  /** The `RelayState` that the provider sent with its request, and receives back. */
  relayState: string
  /** The private key to sign with (PEM); `null` for none. */
  key: string | null
}

/** Returns the URL that takes a LogoutResponse to the provider, in the HTTP-Redirect binding. */
export async function logoutResponseUrl (tools: SamlTools, answer: LogoutAnswer): Promise<string> {
  const { settings, side, requestId, relayState, key } = answer
  const saml = await tools.saml(settings, side)
  const profile = { issuer: settings.idp_entity_id, nameID: '', nameIDFormat: '', ID: requestId }
  const url = await saml.getLogoutResponseUrlAsync(profile, relayState, {}, true)
  return key === null ? url : signUrl(url, 'SAMLResponse', key)
}

/** Returns a page that posts a LogoutResponse to the provider: by its script, or else by its button. */
export async function logoutResponsePage (tools: SamlTools, answer: LogoutAnswer, script: string): Promise<string> {
  const { settings, side, requestId, relayState, key } = answer
  const saml = await tools.saml(settings, side, { skipRequestCompression: true })
  const profile = { issuer: settings.idp_entity_id, nameID: '', nameIDFormat: '', ID: requestId }
  const url = new URL(await saml.getLogoutResponseUrlAsync(profile, '', {}, true))
  const xml = Buffer.from(url.searchParams.get('SAMLResponse') ?? '', 'base64').toString()
  const message = Buffer.from(key === null ? xml : await tools.signXml(xml, key)).toString('base64')
  const fields = Object.entries({ SAMLResponse: message, ...relayState === '' ? {} : { RelayState: relayState } })
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Signing out</title>
<form method="post" action="${escapeXml(settings.logout_url ?? '')}">
${fields.map(([name, value]) => `<input type="hidden" name="${name}" value="${escapeXml(value)}">`).join('\n')}
<button>Continue</button>
</form>
<script src="${escapeXml(script)}"></script>
</html>
`
}
