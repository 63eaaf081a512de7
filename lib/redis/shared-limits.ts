import type { SharedLimits } from '../../contracts/token-store/index.js'
import type { RedisLink } from './link.js'
import { nameDigest } from './name-digest.js'
import { RedisScript } from './script.js'

/** KEYS: a counter. ARGV: its window, milliseconds. A longer remaining time means that the clock was set back. */
const COUNT = new RedisScript(`
local current = redis.call('INCR', KEYS[1])
local left = redis.call('PTTL', KEYS[1])
if left < 0 or left > tonumber(ARGV[1]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  left = ARGV[1]
end
return {current, tonumber(left)}
`)

/** KEYS: a bucket. ARGV: amount to take, refill per second, capacity. Uses the clock of the Redis server. */
const DEBIT = new RedisScript(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local rate, size = tonumber(ARGV[2]), tonumber(ARGV[3])
local bucket = redis.call('HMGET', KEYS[1], 'level', 'at')
local level = size
if bucket[1] then level = math.min(size, tonumber(bucket[1]) + math.max(0, now - tonumber(bucket[2])) * rate / 1000) end
level = level - tonumber(ARGV[1])
redis.call('HSET', KEYS[1], 'level', tostring(level), 'at', string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], math.min(3600000, math.ceil((size - level) / math.max(rate, 0.001) * 1000) + 1000))
return tostring(level)
`)

/** Implements `SharedLimits` in Redis. */
export function sharedLimits (link: RedisLink): SharedLimits {
  return {
    async count (key, timeWindow) {
      const response = await link.run(COUNT, [`window:${nameDigest(key)}`], [Math.ceil(timeWindow)])
      if (!Array.isArray(response)) return null
      const [current, ttl] = response as [number, number]
      return { current, ttl }
    },

    async debit (key, amount, perSecond) {
      const level = Number(
        await link.run(DEBIT, [`bucket:${nameDigest(key)}`], [amount, perSecond, Math.max(perSecond, 1)])
      )
      return Number.isFinite(level) ? level : null
    }
  }
}
