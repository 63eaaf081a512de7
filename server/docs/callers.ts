/** How the caller of an operation without a security scheme is authenticated, by `operationId`. */
const MFA_TOKEN = 'the `mfa_token` of a login that needs a second factor'
const LINK = 'the token of the mailed link'
const PROVIDER = 'none for the caller; the signature of the message is verified'

const CALLERS: Readonly<Record<string, string>> = {
  readMetrics: 'a Bearer token, if the server sets `METRICS_TOKEN`; otherwise only direct calls from this machine',
  proxyAuthUrl: "the session of the host's page",
  receiveDelivery: "the provider's signature of the body",
  login: 'the password in the body',
  refresh: 'the refresh token, in the body or in the cookie',
  logout: 'the refresh token, in the body or in the cookie',
  mfaVerify: MFA_TOKEN,
  mfaPasskeyVerifyOptions: MFA_TOKEN,
  mfaPasskeyVerify: MFA_TOKEN,
  mfaPasskeyLogin: 'the passkey in the body',
  mfaEnrolTotp: MFA_TOKEN,
  mfaConfirmEnrolledTotp: MFA_TOKEN,
  mfaEnrolPasskeyOptions: MFA_TOKEN,
  mfaEnrolPasskey: MFA_TOKEN,
  inspectInvitation: LINK,
  acceptInvitation: LINK,
  confirmPasswordReset: LINK,
  confirmEmailChange: LINK,
  exchangeSsoCode: 'the code of a finished login and the cookie of its browser',
  finishOidcLogin: 'the cookie of the browser that started the login',
  receiveOidcLogout: PROVIDER,
  consumeSamlAssertion: PROVIDER,
  receiveSamlLogoutByRedirect: PROVIDER,
  receiveSamlLogoutByPost: PROVIDER
}

export function callerOf (operationId: string): string {
  return CALLERS[operationId] ?? 'none; the route is public'
}
