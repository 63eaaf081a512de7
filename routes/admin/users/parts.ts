import type { Links } from './links.js'
import type { Mailer } from './mailer.js'

/** The parts that the routes of users share. */
export interface UserRouteParts {
  links: Links
  mailer: Mailer
}
