import t from 'tap'

import { parseResponse, verifyResponse } from '../../../../routes/admin/saml/response.js'
import { openSamlTools } from '../../../../routes/admin/saml/tools.js'
import { createSigningPair } from '../../../../server/mock-products/saml/certificate.js'
import { base64, signedResponse } from '../../../helpers/forged-saml.js'
import type { ResponseParts } from '../../../helpers/forged-saml.js'

const tools = await openSamlTools()
const now = Date.now()
const idp = await createSigningPair('idp', now)
const parts: ResponseParts = {
  now,
  issuer: 'https://idp.example',
  audience: 'https://sp.example/metadata',
  recipient: 'https://sp.example/acs',
  inResponseTo: '_request'
}
const settings = { entry_point: 'https://idp.example/sso', idp_entity_id: parts.issuer, certificates: [idp.certificate] }
const expected = { issuer: parts.issuer, audience: parts.audience, recipient: parts.recipient, requestId: '_request', now, skew: 60_000 }

t.test('a signed assertion is read', async (t) => {
  const xml = signedResponse({ ...parts, attributes: { groups: ['a', 'b'] } }, idp)
  const result = await verifyResponse(tools, parseResponse(tools, base64(xml)), { settings, secrets: [] }, expected)
  t.match(result, { nameId: { value: 'person-1' }, sessionIndex: 'session-1' })
  t.same(result.attributes.get('groups'), ['a', 'b'])
})
