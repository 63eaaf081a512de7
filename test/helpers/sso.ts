import type { Test } from 'tap'

import { useAdminSso } from '../../routes/admin/sso/core.js'
import type { SsoOptions } from '../../routes/admin/sso/options.js'
import { adminApp, SECRET } from './admin.js'
import type { AdminApp, AdminAppOptions } from './admin.js'

export const PUBLIC_URL = 'https://gate.example.com'

/** The admin routes with the shared routes of single sign-on, without a protocol. */
export async function ssoApp (
  t: Test,
  { sso, ...options }: AdminAppOptions & { sso?: Partial<SsoOptions> } = {}
): Promise<AdminApp> {
  const admin = await adminApp(t, options)
  await useAdminSso(admin.app, 'admin-sso', {
    jwtSecrets: [SECRET],
    now: () => admin.clock.now,
    publicUrl: PUBLIC_URL,
    loginPage: '/login',
    loginRateLimit: false,
    userRateLimit: false,
    tokenRateLimit: false,
    ...sso
  })
  return admin
}
