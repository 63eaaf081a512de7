import { randomBytes } from 'node:crypto'

import { parseCookie, stringifySetCookie } from 'cookie'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import type { User } from '../../../contracts/token-store/index.js'
import { hmacSha256, sameSecret, sha256Hex } from '../../../signing/digest.js'

/** Recognises devices from which a user has logged in before, by a signed cookie that is valid only for that user. */
export interface KnownDevices {
  /** Returns the device id in the request's cookie; `null` without a valid cookie for this user. */
  idOf(request: FastifyRequest, user: Account): string | null
  /** Sets or renews the cookie. Call it only after the user has authenticated. */
  remember(request: FastifyRequest, reply: FastifyReply, user: Account): void
}

/** A change of the epoch ends all tokens of the user and all device cookies. */
type Account = Pick<User, 'id' | 'epoch'>

/** Seconds. Browsers limit the lifetime of a cookie to 400 days. */
const MAX_AGE_SECONDS = 400 * 86_400
const CLOCK_SKEW_SECONDS = 30
const ID_BYTES = 12

/** @param path the path to which browsers send the cookie: the login route */
export function knownDevices (
  scope: FastifyInstance,
  { path, now }: { path: string, now: () => number }
): KnownDevices {
  const keys = scope.adminTokens.keysFor('known devices')
  const seconds = () => Math.floor(now() / 1000)

  function idOf ({ headers: { cookie } }: FastifyRequest, user: Account): string | null {
    const [id, issued, signature, ...rest] = (cookie === undefined ? '' : parseCookie(cookie)[nameFor(user)] ?? '')
      .split('.')
    if (id === undefined || issued === undefined || signature === undefined || rest.length > 0) return null
    if (!keys.some((key) => sameSecret(signature, sign(key, id, issued, user)))) return null
    const age = seconds() - Number(issued)
    return age <= MAX_AGE_SECONDS && age >= -CLOCK_SKEW_SECONDS ? id : null
  }

  return {
    idOf,

    remember (request, reply, user) {
      const id = idOf(request, user) ?? randomBytes(ID_BYTES).toString('base64url')
      const issued = String(seconds())
      reply.header(
        'Set-Cookie',
        stringifySetCookie({
          name: nameFor(user),
          value: `${id}.${issued}.${sign(keys[0], id, issued, user)}`,
          path,
          maxAge: MAX_AGE_SECONDS,
          httpOnly: true,
          sameSite: 'strict',
          secure: request.protocol === 'https'
        })
      )
    }
  }
}

/** Each user has a separate cookie, so that several users can share a browser. */
function nameFor ({ id }: Account): string {
  return `gatehouse_device_${sha256Hex(id).slice(0, 12)}`
}

function sign (key: Buffer, id: string, issued: string, user: Account): string {
  return hmacSha256(key, JSON.stringify([id, issued, user.id, user.epoch]), 'base64url')
}
