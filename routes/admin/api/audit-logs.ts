import type { FastifyInstance } from 'fastify'

import type { AuditEntry } from '../../../contracts/token-store/index.js'
import { listAuditLogsSchema } from '../../../schemas/audit-log.js'
import type { AuditLogItem, AuditLogQuery } from '../../../schemas/audit-log.js'
import { callerOf } from '../admin-scope.js'
import { pageReply, timeOf } from './page-reply.js'
import { readPage } from './page-request.js'
import { PERMISSIONS } from '../permissions.js'

export function auditLogRoutes (scope: FastifyInstance): void {
  scope.get<{ Querystring: AuditLogQuery }>('/audit-logs', {
    schema: listAuditLogsSchema,
    ...PERMISSIONS.readAuditLogs
  }, async function listAuditLogs (request) {
    const { action, user_id: userId, resource_type: resourceType, resource_id: resourceId, from, to } = request.query
    const filter = { action, userId, resourceType, resourceId, from: timeOf('from', from), to: timeOf('to', to) }
    return pageReply(
      await readPage(request, (page) => scope.tokenStore.audit.list(callerOf(request).org_id, filter, page)),
      viewEntry
    )
  })
}

function viewEntry (
  { id, action, userId, userEmail, resourceType, resourceId, changes, ipAddress, userAgent, timestamp }: AuditEntry
): AuditLogItem {
  return {
    id,
    action,
    user_id: userId,
    user_email: userEmail,
    resource_type: resourceType,
    resource_id: resourceId,
    changes,
    ip_address: ipAddress,
    user_agent: userAgent,
    timestamp: new Date(timestamp).toISOString()
  }
}
