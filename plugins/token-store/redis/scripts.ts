import { RedisScript } from '../../../lib/redis/script.js'

// Versions are times of the Redis server in microseconds that never go back, whatever becomes of its clock: each that is given out is kept.
const NOW = `
local time = redis.call('TIME')
local now = math.max(time[1] * 1000000 + time[2], tonumber(redis.call('GET', clock) or 0) + 1)
`

/**
 * KEYS: the clock, entries. ARGV: milliseconds that an entry lives. Gives the version of now, and of each entry its version, its data and its
 * milliseconds left, or false. An entry with a tag that was changed since its version is none, nor is one that has longer to live than
 * any: the clock was set back. The tags stand in the entry: a cluster finds them by the braces of the prefix.
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
local answer = {version}
local isComplete = true
for at = 2, #KEYS do
  answer[at] = entryOf(KEYS[at])
  if not answer[at] then isComplete = false end
end
if not isComplete then redis.call('SET', clock, version) end
return answer
`)

/**
 * KEYS: each entry, followed by its tags. ARGV: the version of when their look-up began, milliseconds to live from then on, and of each
 * entry the number of its tags and its data. Of that life goes what this command has waited, as in a Redis that hung: meanwhile a change
 * may have found nobody to tell. Gives the number of entries that were written.
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
