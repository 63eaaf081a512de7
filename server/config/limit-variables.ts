import { integer } from './variable.js'

/** The variables of limits and periods, all of them whole numbers. */
export const limitVariables = {
  LOGIN_RATE_MAX: integer('Login attempts per minute, per e-mail address and per IP address', 1, 1_000_000, 10),
  ADMIN_SESSION_IDLE_MINUTES: integer(
    'Minutes after which the session of an administrator ends that is not refreshed',
    15,
    10_080,
    10_080
  ),
  ADMIN_RATE_MAX: integer('Admin requests per minute and user', 1, 1_000_000, 100),
  INGEST_KEY_RATE_MAX: integer(
    'Events per second and source, for sources without their own limit; 0 = no limit',
    0,
    100_000_000,
    1_000
  ),
  INGEST_IP_RATE_MAX: integer('Ingestion requests per second and IP address; 0 = no limit', 0, 100_000_000, 5_000),
  WEBHOOK_LIMIT_BYTES: integer(
    'Maximum size of a webhook delivery, in bytes; a larger one is refused with 413',
    1_024,
    104_857_600,
    1_048_576
  ),
  EMBED_RATE_MAX: integer('Requests per minute, IP address and embedding route; 0 = no limit', 0, 1_000_000, 120),
  EMBED_CONNECTIONS_MAX: integer(
    'Requests in flight per IP address on the embedding routes; 0 = no limit',
    0,
    1_000_000,
    50
  ),
  ADDRESS_SOCKETS_MAX: integer(
    'Open sockets per IP address; 0 = no limit; not applied if TRUST_PROXY is set',
    0,
    1_000_000,
    1_000
  ),
  NOT_FOUND_RATE_MAX: integer(
    'Requests per minute and IP address to unknown paths; 0 = no limit',
    0,
    1_000_000,
    100
  ),
  ACK_TIMEOUT_MS: integer('Maximum time in which an event must become durable, in milliseconds', 10, 60_000, 5_000),
  MAX_PENDING_EVENTS: integer('Maximum number of events that wait to become durable', 1, 1_000_000, 10_000),
  EVENT_RETENTION_DAYS: integer('Days after which events are deleted; 0 = never', 0, 36_500, 0),
  AUDIT_RETENTION_DAYS: integer('Days after which audit entries are deleted', 1, 3_650, 90),
  COUNT_RETENTION_DAYS: integer('Days after which counts of events, embeds and logins are deleted', 1, 3_650, 400),
  REFUSED_RETENTION_DAYS: integer('Days after which refused events that a source keeps are deleted', 1, 365, 7),
  MAX_CONNECTIONS: integer('Maximum number of open sockets', 1, 1_000_000, 10_000),
  HEADERS_TIMEOUT_MS: integer("Maximum time to receive a request's headers, in milliseconds", 100, 60_000, 15_000),
  REQUEST_TIMEOUT_MS: integer('Maximum time to receive a whole request, in milliseconds', 100, 300_000, 30_000),
  KEEP_ALIVE_TIMEOUT_MS: integer('Time until an idle connection is closed, in milliseconds', 100, 600_000, 72_000),
  DRAIN_DELAY_MS: integer(
    'Time between /readyz returning 503 and the closing of the port at a stop, in milliseconds; lets load balancers ' +
      'react',
    0,
    60_000,
    0
  )
}
