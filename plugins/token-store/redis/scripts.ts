import { RedisScript } from '../../../lib/redis/script.js'

// A version is the time of the Redis server in microseconds. The last version is stored, so that versions increase even
// if the server's clock is set back.
const NOW = `
local time = redis.call('TIME')
local now = math.max(time[1] * 1000000 + time[2], tonumber(redis.call('GET', clock) or 0) + 1)
`

/**
 * KEYS: the clock, entries. ARGV: lifetime of an entry, milliseconds. Returns the current version and for each entry
 * its version, data and remaining milliseconds, or false. An entry is missing if one of its tags was changed since its
 * version, or if it would live longer than the lifetime, as then the clock was set back. The entry stores its tags; the
 * prefix in braces keeps them in the same slot of a cluster.
 */
export const READ = new RedisScript(`
local clock = KEYS[1]
${NOW}
local version = string.format('%.0f', now)
local function entryOf (key)
  local entry = redis.call('HMGET', key, 'version', 'tags', 'data')
  local since = tonumber(entry[1] or '')
  if not since or not entry[2] or not entry[3] then return false end
  for tag in string.gmatch(entry[2], '%S+') do
    local changed = redis.call('GET', tag)
    if changed and tonumber(changed) >= since then return false end
  end
  local left = redis.call('PTTL', key)
  if left < 0 or left > tonumber(ARGV[1]) then return false end
  return {entry[1], entry[3], left}
end
local result = {version}
local isComplete = true
for at = 2, #KEYS do
  result[at] = entryOf(KEYS[at])
  if not result[at] then isComplete = false end
end
if not isComplete then redis.call('SET', clock, version) end
return result
`)

/**
 * KEYS: each entry, followed by its tags. ARGV: the version at the start of the look-up, the lifetime from then on in
 * milliseconds, and for each entry the number of its tags and its data. The time since that version counts against the
 * lifetime, as a change may have gone unnoticed while Redis hung. Returns the number of written entries.
 */
export const FILL = new RedisScript(`
local time = redis.call('TIME')
local age = (time[1] * 1000000 + time[2] - ARGV[1]) / 1000
local life = math.floor(ARGV[2] - math.max(0, age))
if life <= 0 then return 0 end
local function isOld (first, last)
  for at = first + 1, last do
    local changed = redis.call('GET', KEYS[at])
    if changed and tonumber(changed) >= tonumber(ARGV[1]) then return true end
  end
  local held = tonumber(redis.call('HGET', KEYS[first], 'version') or '')
  return held and held > tonumber(ARGV[1])
end
local written, first = 0, 1
for at = 3, #ARGV, 2 do
  local last = first + tonumber(ARGV[at])
  if not isOld(first, last) then
    redis.call('HSET', KEYS[first], 'version', ARGV[1], 'tags', table.concat(KEYS, ' ', first + 1, last), 'data', ARGV[at + 1])
    redis.call('PEXPIRE', KEYS[first], life)
    written = written + 1
  end
  first = last + 1
end
return written
`)

/**
 * KEYS: the clock, the changed tags. ARGV: a channel and a message for it. A mark outlives all entries it invalidates.
 */
export const CHANGE = new RedisScript(`
local clock = KEYS[1]
${NOW}
local version = string.format('%.0f', now)
redis.call('SET', clock, version)
for i = 2, #KEYS do redis.call('SET', KEYS[i], version, 'PX', 60000) end
redis.call('PUBLISH', ARGV[1], ARGV[2])
return version
`)
