import { createHmac } from 'node:crypto'

import type { Test } from 'tap'

import type { AdminMfaOptions } from '../../routes/admin/mfa/index.js'
import type { MfaChallenge, TokenPair } from '../../schemas/admin-auth.js'
import { PASSWORD, adminApp } from './admin.js'
import type { AdminApp, AdminAppOptions } from './admin.js'

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** The code of an authenticator app, computed from RFC 4226 and RFC 6238 without the library under test. */
export function totpCode (secret: string | Buffer, epochMs: number, digits = 6): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(epochMs / 30_000)))
  const mac = createHmac('sha1', typeof secret === 'string' ? fromBase32(secret) : secret).update(counter).digest()
  const offset = mac.readUInt8(mac.length - 1) & 15
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 10 ** digits).padStart(digits, '0')
}

/** A code that is not valid at the time, nor one step before or after. */
export function wrongCode (secret: string, epochMs: number): string {
  const near = [-30_000, 0, 30_000].map((shift) => totpCode(secret, epochMs + shift))
  return ['000000', '111111', '222222', '333333'].find((code) => !near.includes(code)) ?? ''
}

function fromBase32 (text: string): Buffer {
  const bits = Array.from(text, (letter) => BASE32.indexOf(letter).toString(2).padStart(5, '0')).join('')
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
}

export interface MfaApp extends AdminApp {
  /** Logs in with the password and returns the request for the second factor. */
  challenge (email: string, fields?: object): Promise<MfaChallenge>
  /** Sets up an authenticator app with an access token. */
  enrol (token: string): Promise<{ secret: string, recoveryCodes: string[] }>
  /** Finishes a login. */
  verify (mfaToken: string, code: string): ReturnType<AdminApp['post']>
  /** Logs in with the password and a new code of the app; the clock moves one step, as each code works once. */
  loginWithCode (email: string, secret: string): Promise<TokenPair>
  send (method: 'GET' | 'PATCH' | 'DELETE', url: string, token: string, body?: object): ReturnType<AdminApp['post']>
}

/** The admin routes with second factors. */
export async function mfaApp (
  t: Test,
  options: AdminAppOptions & { mfa?: Partial<AdminMfaOptions> } = {}
): Promise<MfaApp> {
  const admin = await adminApp(t, { mfa: {}, ...options })
  const { app, clock, post } = admin

  async function challenge (email: string, fields: object = {}): Promise<MfaChallenge> {
    const reply = await post('login', { email, password: PASSWORD, ...fields })
    if (reply.statusCode !== 200) throw new Error(`login: ${reply.statusCode} ${reply.body}`)
    return reply.json<MfaChallenge>()
  }

  const verify: MfaApp['verify'] = (mfaToken, code) => post('mfa/verify', { mfa_token: mfaToken, code })

  return {
    ...admin,
    challenge,
    verify,
    async enrol (token) {
      const { secret } = (await post('mfa/totp', { current_password: PASSWORD }, token)).json<{ secret: string }>()
      const reply = await post('mfa/totp/confirm', { code: totpCode(secret, clock.now) }, token)
      if (reply.statusCode !== 200) throw new Error(`enrol: ${reply.statusCode} ${reply.body}`)
      return { secret, recoveryCodes: reply.json<{ recovery_codes: string[] }>().recovery_codes }
    },
    async loginWithCode (email, secret) {
      clock.now += 30_000
      const reply = await verify((await challenge(email)).mfa_token, totpCode(secret, clock.now))
      if (reply.statusCode !== 200) throw new Error(`verify: ${reply.statusCode} ${reply.body}`)
      return reply.json<TokenPair>()
    },
    async send (method, url, token, body) {
      const headers = { authorization: `Bearer ${token}` }
      return app.inject({ method, url: `/v1/admin/${url}`, headers, ...body === undefined ? {} : { payload: body } })
    }
  }
}
