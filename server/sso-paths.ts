/** The path of the page on which administrators log in through an identity provider. */
export const SIGN_IN_PATH = '/sign-in'

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
