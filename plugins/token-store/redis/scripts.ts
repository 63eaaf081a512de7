import { RedisScript } from '../../redis/script.js'

// Versions are times of the Redis server in microseconds that never go back, whatever becomes of its clock: each that is given out is kept.
const NOW = `
local time = redis.call('TIME')
local now = math.max(time[1] * 1000000 + time[2], tonumber(redis.call('GET', clock) or 0) + 1)
`

/**
 * KEYS: an entry, the clock. ARGV: milliseconds that an entry lives. Gives the version of now, the entry's data or false, and its milliseconds
 * left. An entry with a tag that was changed since its version is none, nor is one that has longer to live than any: the clock was set
 * back. The tags stand in the entry: a cluster finds them by the braces of the prefix.
 */
export const READ = new RedisScript(`
local clock = KEYS[2]
${NOW}
local version = string.format('%.0f', now)
local function none ()
  redis.call('SET', clock, version)
  return {version, false, 0}
end
local entry = redis.call('HMGET', KEYS[1], 'version', 'tags', 'data')
if not entry[1] then return none() end
for tag in string.gmatch(entry[2], '%S+') do
  local changed = redis.call('GET', tag)
  if changed and tonumber(changed) >= tonumber(entry[1]) then return none() end
end
local left = redis.call('PTTL', KEYS[1])
if left < 0 or left > tonumber(ARGV[1]) then return none() end
return {version, entry[3], left}
`)

/**
 * KEYS: an entry, its tags. ARGV: the version of when its look-up began, milliseconds to live from then on, data. Of that life goes what
 * this command has waited, as in a Redis that hung: meanwhile a change may have found nobody to tell.
 */
export const FILL = new RedisScript(`
local time = redis.call('TIME')
local age = (time[1] * 1000000 + time[2] - ARGV[1]) / 1000
local life = math.floor(ARGV[2] - math.max(0, age))
if life <= 0 then return 0 end
for i = 2, #KEYS do
  local changed = redis.call('GET', KEYS[i])
  if changed and tonumber(changed) >= tonumber(ARGV[1]) then return 0 end
end
local held = redis.call('HGET', KEYS[1], 'version')
if held and tonumber(held) > tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[1], 'tags', table.concat(KEYS, ' ', 2), 'data', ARGV[3])
redis.call('PEXPIRE', KEYS[1], life)
return 1
`)

/** KEYS: the clock, the tags that changed. ARGV: a channel and what to tell everyone. A mark outlives all that it may end. */
export const CHANGE = new RedisScript(`
local clock = KEYS[1]
${NOW}
local version = string.format('%.0f', now)
redis.call('SET', clock, version)
for i = 2, #KEYS do redis.call('SET', KEYS[i], version, 'PX', 60000) end
redis.call('PUBLISH', ARGV[1], ARGV[2])
return version
`)
