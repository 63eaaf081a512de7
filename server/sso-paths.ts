import type { Config } from './config/index.js'

/** The pages that identity providers and the links of mails open. */
export interface AdminPages {
  /** Where administrators log in. */
  signIn: string
  /** Where invitations are accepted and passwords set. */
  account: string
}

/** Returns the paths of the pages: in the console, or the small separate pages of a server without it. */
export function adminPages (config: Pick<Config, 'console'>): AdminPages {
  return config.console
    ? { signIn: '/console/sign-in', account: '/console/account' }
    : { signIn: '/sign-in', account: '/account' }
}

/** Returns the URLs of a configured identity provider that are entered at the provider. */
export function ssoPaths (publicUrl: string, kind: 'oidc' | 'saml', id: string) {
  const base = `${publicUrl}/v1/admin/auth/sso/${kind}/${id}`
  return {
    callback: `${base}/callback`,
    backchannelLogout: `${base}/backchannel-logout`,
    metadata: `${base}/metadata`,
    acs: `${base}/acs`,
    slo: `${base}/slo`
  }
}
