/** A mistake in one member of a request body. */
export interface Detail {
  /** JSON pointer, such as `/email`. */
  path: string
  message: string
}

interface Parts {
  status: number
  code: string
  details?: readonly Detail[]
  requestId?: string | null
  retryAfterSeconds?: number | null
}

/** An error of the server, or of the way to it. `message` is written for the user. */
export class ApiError extends Error {
  /** The HTTP status; 0: the server did not respond. */
  readonly status: number
  readonly code: string
  readonly details: readonly Detail[]
  /** What to look for in the log of the server. */
  readonly requestId: string | null
  readonly retryAfterSeconds: number | null

  constructor (message: string, { status, code, details = [], requestId = null, retryAfterSeconds = null }: Parts) {
    super(message)
    this.status = status
    this.code = code
    this.details = details
    this.requestId = requestId
    this.retryAfterSeconds = retryAfterSeconds
  }
}

interface Envelope {
  error?: { code?: string, message?: string, details?: Detail[] }
}

/** Reads the error of a response. */
export async function errorOf (response: Response): Promise<ApiError> {
  const body = await response.json().catch(() => ({})) as Envelope
  const { code = 'UNKNOWN', message = `The server responded with status ${response.status}.`, details = [] } =
    body.error ?? {}
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN)
  return new ApiError(message, {
    status: response.status,
    code,
    details,
    requestId: response.headers.get('x-request-id'),
    retryAfterSeconds: Number.isFinite(retryAfter) ? retryAfter : null
  })
}

/** The error of a request that got no response. */
export function unreachable (): ApiError {
  return new ApiError('The server does not respond. Check your connection and try again.', { status: 0, code: 'OFFLINE' })
}

export function isAborted (error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError'
}
