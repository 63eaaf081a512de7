/** The cause of each code in one sentence, and what ends it. */
const MEANINGS: Readonly<Record<string, string>> = {
  ORIGIN_NOT_ALLOWED: 'A page on a site that is not among the domains of the source sent the event. Add the domain.',
  INVALID_PIPELINE_KEY: 'The source or the key is disabled, or the key was rotated or has expired. Use the current key.',
  INVALID_REQUEST: 'The event does not fit the schema: a property is missing, unknown, too long or of a wrong type.',
  INVALID_JSON: 'The body is not valid JSON in UTF-8. Send it with a JSON serializer.',
  SIGNATURE_REQUIRED: 'The source requires a signature, and the request had none. Sign it, or change the setting.',
  INVALID_SIGNATURE: 'The signature does not match the body and the server secret. Sign the bytes that are sent.',
  TIMESTAMP_OUT_OF_RANGE: 'The signed timestamp is missing, or differs too much from the clock of this server.',
  PAYLOAD_TOO_LARGE: 'The body is larger than the server accepts. Send smaller batches.',
  UNSUPPORTED_MEDIA_TYPE: 'The Content-Type or the encoding is not supported. Send application/json.',
  RATE_LIMITED: 'A rate limit or a quota of the source was used up. Clients send the events again later.',
  TOO_MANY_CONNECTIONS: 'Too many requests came at once. Clients send the events again later.',
  FORBIDDEN: 'The source does not accept events of this type from the pixel. Change its pixel types.',
  HTTPS_REQUIRED: 'The request came without HTTPS. Send it to the https address.',
  CONFLICT: 'The same request had been used before.',
  NOT_FOUND: 'The address does not exist. Compare it with the snippet of the source.',
  UNAVAILABLE: 'The store or the broker did not respond. Clients send the events again later.',
  INTERNAL_ERROR: 'This server failed. Its log has the reason.'
}

export function meaningOf (code: string): string {
  return MEANINGS[code] ?? 'The log of the server has the reason.'
}

/** Codes with their numbers, the most frequent first. */
export function ranked (counts: Readonly<Record<string, number>>): Array<readonly [code: string, count: number]> {
  return Object.entries(counts).sort(([one, a], [other, b]) => b - a || (one < other ? -1 : 1))
}

interface KeptCause {
  title: string
  /** The cause and the remedy, for the page of one refused event. */
  explanation: string
}

/** The codes whose events a source with `keep_refused` keeps. */
export const KEPT_CAUSES: Readonly<Record<string, KeptCause>> = {
  ORIGIN_NOT_ALLOWED: {
    title: 'Origin not allowed',
    explanation: 'The page that sent the event is not on one of the domains of the source. If it is one of your sites, allow its domain and replay the event.'
  },
  INVALID_REQUEST: {
    title: 'Invalid event',
    explanation: 'A property is missing or has the wrong type. Change the code that sends it. A replay succeeds only once the rule itself has changed, such as the mapping of a webhook.'
  },
  INVALID_JSON: {
    title: 'Invalid JSON',
    explanation: 'The body is not JSON. Change the code that sends it.'
  },
  FORBIDDEN: {
    title: 'Type not accepted',
    explanation: 'The source does not accept this type of event by pixel. Add the type to the pixel types of the source, then replay the event.'
  },
  SIGNATURE_REQUIRED: {
    title: 'Signature required',
    explanation: 'The source accepts such requests only with a signature. Sign them with the server secret, or change the rule of the source.'
  },
  INVALID_SIGNATURE: {
    title: 'Invalid signature',
    explanation: 'The signature does not match the body and the server secret of the source. It cannot be replayed, because anyone may have sent it.'
  },
  TIMESTAMP_OUT_OF_RANGE: {
    title: 'Timestamp out of range',
    explanation: 'The time of the signature is too far from the time of the server. Check the clock of the sender. It cannot be replayed, because anyone may have sent it.'
  }
}

export function titleOf (code: string): string {
  return KEPT_CAUSES[code]?.title ?? code
}
