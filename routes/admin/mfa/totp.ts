import { importOptionalLater } from '../../../lib/optional-package.js'

/** Codes of authenticator apps: RFC 6238 with SHA-1, 6 digits and steps of 30 seconds, which all apps support. */
export interface Totp {
  createSecret (): Promise<string>
  /** Returns the `otpauth:` URL of a secret for a QR code. */
  urlOf (secret: string, email: string): Promise<string>
  /** Returns the time step of a valid code, at most one step before or after `now` (epoch ms), or `null`. */
  stepOf (secret: string, code: string, now: number): Promise<number | null>
}

const PERIOD_SECONDS = 30
const CODE = /^\d{6}$/

/** Creates the codes of an app that authenticator apps show as `appName`. Throws an Error without `otplib`. */
export async function createTotp (appName: string): Promise<Totp> {
  const why = 'A second factor of administrators'
  const loadOtplib = await importOptionalLater('otplib', () => import('otplib'), why)
  return {
    createSecret: async () => (await loadOtplib()).generateSecret(),

    urlOf: async (secret, email) => (await loadOtplib()).generateURI({ issuer: appName, label: email, secret }),

    async stepOf (secret, code, now) {
      if (!CODE.test(code)) return null
      const { verifySync } = await loadOtplib()
      const result = verifySync({
        secret,
        token: code,
        epoch: Math.floor(now / 1000),
        epochTolerance: PERIOD_SECONDS
      })
      return result.valid && 'timeStep' in result ? result.timeStep : null
    }
  }
}
