import { atLeast } from '../../plugins/admin-guard.js'

function only (roles: ReturnType<typeof atLeast>) {
  return { config: { gatehouse: { admin: { roles } } } }
}

/** Who may do what: owner > admin > editor > viewer, and each may what those below may. */
export const MAY = {
  readSources: only(atLeast('viewer')),
  readEvents: only(atLeast('viewer')),
  createSources: only(atLeast('editor')),
  changeSources: only(atLeast('editor')),
  deleteSources: only(atLeast('admin')),
  rotateSources: only(atLeast('admin')),
  readEmbeds: only(atLeast('viewer')),
  revokeEmbeds: only(atLeast('admin')),
  readAuditLogs: only(atLeast('admin'))
} as const
