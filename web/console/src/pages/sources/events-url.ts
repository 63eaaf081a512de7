import { urlOf } from '../../api/transport.ts'

/** Where events are sent: the server of the admin API, without a slash at the end. */
export const EVENTS_URL = urlOf('../../').href.replace(/\/$/, '')
