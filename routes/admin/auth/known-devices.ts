import { randomBytes } from 'node:crypto'

import { parseCookie, stringifySetCookie } from 'cookie'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import type { User } from '../../../contracts/token-store/index.js'
import { hmacSha256, sameSecret, sha256Hex } from '../../../signing/digest.js'

/** Tells the devices from which a user has logged in before, by a signed cookie that is good for that user alone. */
export interface KnownDevices {
  /** The id of the device that the request's cookie proves, or `null`: for this user it is a stranger. */
  idOf (request: FastifyRequest, user: Account): string | null
  /** Sets the cookie, or prolongs the one that the request has. Only for a user who has just proved to be one. */
  remember (request: FastifyRequest, reply: FastifyReply, user: Account): void
}

/** All tokens of the user end with the epoch, and so does the trust in devices. */
type Account = Pick<User, 'id' | 'epoch'>

/** Seconds; browsers keep no cookie for more than 400 days. */
const LIFE = 400 * 86_400
const SKEW = 30
const ID_BYTES = 12

/** @param path where browsers send the cookie: the login route alone */
export function knownDevices (scope: FastifyInstance, { path, now }: { path: string, now: () => number }): KnownDevices {
  const keys = scope.adminTokens.keysFor('known devices')
  const seconds = () => Math.floor(now() / 1000)

  function idOf ({ headers: { cookie } }: FastifyRequest, user: Account): string | null {
    const [id, issued, signature, ...rest] = (cookie === undefined ? '' : parseCookie(cookie)[nameFor(user)] ?? '').split('.')
    if (id === undefined || issued === undefined || signature === undefined || rest.length > 0) return null
    if (!keys.some((key) => sameSecret(signature, sign(key, id, issued, user)))) return null
    const age = seconds() - Number(issued)
    return age <= LIFE && age >= -SKEW ? id : null
  }

  return {
    idOf,

    remember (request, reply, user) {
      const id = idOf(request, user) ?? randomBytes(ID_BYTES).toString('base64url')
      const issued = String(seconds())
      reply.header('Set-Cookie', stringifySetCookie({
        name: nameFor(user),
        value: `${id}.${issued}.${sign(keys[0], id, issued, user)}`,
        path,
        maxAge: LIFE,
        httpOnly: true,
        sameSite: 'strict',
        secure: request.protocol === 'https'
      }))
    }
  }
}

/** Of each user a cookie, so that several can share a browser. */
function nameFor ({ id }: Account): string {
  return `gatehouse_device_${sha256Hex(id).slice(0, 12)}`
}

function sign (key: Buffer, id: string, issued: string, user: Account): string {
  return hmacSha256(key, JSON.stringify([id, issued, user.id, user.epoch]), 'base64url')
}
