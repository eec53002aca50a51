/**
 * What must be seen or done in one piece. Redis runs a script alone, so each of these is a transaction; but it undoes nothing, so each
 * writes first what can be refused (out of memory, an id that is taken), and then what cannot.
 *
 * `trim` and `acknowledge` use no command that is refused when memory is short: they are what makes room.
 */
import { createHash } from 'node:crypto';
import type { Redis } from 'iovalkey';
import { COUNT_FIELD, PACK_FIELD } from './packs.ts';

export interface Script {
  readonly text: string;
  readonly sha: string;
}

function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}

/** The server forgets scripts when it is started again, and is told them when it asks. */
export async function evaluate(
  redis: Redis,
  { text, sha }: Script,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  try {
    return await redis.evalsha(sha, keys.length, ...keys, ...args);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
    return redis.eval(text, keys.length, ...keys, ...args);
  }
}

/**
 * KEYS entries, meta, the producer's last append. ARGV token, how long the answer is kept (ms), state or '', whether there is a state,
 * then the packs, each by the number of its entries and its text without the closing bracket: the bytes appended before it are its last element.
 * Answers first ordinal, ms, bytes. With the token of the last append it appends nothing and answers the same again.
 */
export const APPEND = script(`
local told = redis.call('GET', KEYS[3])
if told then
  local token, first, ms, bytes = string.match(told, '^(%S+) (%S+) (%S+) (%S+)$')
  if token == ARGV[1] then return {first, ms, bytes} end
end
local head = redis.call('HMGET', KEYS[2], 'next', 'ms', 'bytes')
local first, bytes = tonumber(head[1] or '1'), tonumber(head[3] or '0')
local time = redis.call('TIME')
local ms = math.max(tonumber(head[2] or '0'), time[1] * 1000 + math.floor(time[2] / 1000))
local before, place = bytes, first
for i = 5, #ARGV, 2 do
  local count, text = ARGV[i], ARGV[i + 1]
  local id = string.format('%d-%d', ms, place + count - 1)
  redis.call('XADD', KEYS[1], id, '${PACK_FIELD}', text .. string.format(',%d]', bytes), '${COUNT_FIELD}', count)
  bytes = bytes + #text
  place = place + count
end
redis.call('HSET', KEYS[2], 'next', string.format('%d', place), 'ms', string.format('%d', ms), 'bytes', string.format('%d', bytes))
if ARGV[4] == '1' then redis.call('HSET', KEYS[2], 'producer', ARGV[3]) end
local answer = {string.format('%d', first), string.format('%d', ms), string.format('%d', bytes - before)}
redis.call('SET', KEYS[3], ARGV[1] .. ' ' .. table.concat(answer, ' '), 'PX', ARGV[2])
return answer
`);

/** Without a count it is one entry: of before there were packs, or somebody else's. */
const PACKS = `
local function parts(id)
  local ms, ordinal = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(ms), tonumber(ordinal)
end
local function firstOf(pack)
  local _, last = parts(pack[1])
  return last - (pack[2][3] == '${COUNT_FIELD}' and tonumber(pack[2][4]) or 1) + 1
end
local function oldestOf(key)
  return redis.call('XRANGE', key, '-', '+', 'COUNT', 1)[1]
end
local function lengthFrom(oldest, next)
  return oldest and next - firstOf(oldest) or 0
end
`;

/** KEYS entries, meta. Answers the entries that are not trimmed yet. */
export const LENGTH = script(`${PACKS}
return lengthFrom(oldestOf(KEYS[1]), tonumber(redis.call('HGET', KEYS[2], 'next') or '1'))
`);

/** Of a group in a table: name, pending, last-delivered-id. Ids are compared by their two numbers. */
const GROUPS = `${PACKS}
local function groups(key)
  local found = {}
  if redis.call('EXISTS', key) == 0 then return found end
  for _, fields in ipairs(redis.call('XINFO', 'GROUPS', key)) do
    local group = {}
    for i = 1, #fields, 2 do group[fields[i]] = fields[i + 1] end
    table.insert(found, group)
  end
  return found
end
local function before(one, other)
  local oneMs, oneOrdinal = parts(one)
  local otherMs, otherOrdinal = parts(other)
  return oneMs < otherMs or (oneMs == otherMs and oneOrdinal < otherOrdinal)
end
-- Of the packs that this group has been given, the oldest that it has not finished.
local function oldestPending(key, group)
  if group['pending'] == 0 then return nil end
  local oldest = redis.call('XPENDING', key, group['name'], '-', '+', 1)[1]
  return oldest and oldest[1]
end
local function nextUndelivered(key, group)
  return redis.call('XRANGE', key, '(' .. group['last-delivered-id'], '+', 'COUNT', 1)[1]
end
`;

/**
 * KEYS entries, meta. ARGV group, id, ordinal. Answers the next ordinal of the stream; nothing is changed when that is not above
 * the ordinal. A group that somebody has destroyed is made anew where it is.
 */
export const ACKNOWLEDGE = script(`${GROUPS}
local key, name, id = KEYS[1], ARGV[1], ARGV[2]
local next = tonumber(redis.call('HGET', KEYS[2], 'next') or '1')
if tonumber(ARGV[3]) >= next then return next end
local group = nil
for _, one in ipairs(groups(key)) do
  if one['name'] == name then group = one end
end
if group == nil then
  redis.call('XGROUP', 'CREATE', key, name, id, 'MKSTREAM')
  return next
end
if before(group['last-delivered-id'], id) then redis.call('XGROUP', 'SETID', key, name, id) end
-- What somebody has read in this group's name, and never finished, is finished with everything else up to here.
while group['pending'] > 0 do
  local held = redis.call('XPENDING', key, name, '-', id, 1000)
  if #held == 0 then break end
  local ids = {}
  for _, one in ipairs(held) do table.insert(ids, one[1]) end
  redis.call('XACK', key, name, unpack(ids))
end
return next
`);

/**
 * KEYS entries, meta. ARGV group. Answers next ordinal, ms and bytes ever appended; the length; the oldest pack; and of the group, where there is
 * one, the id up to which all is finished, the entries that come after it, and the pack of the first of these.
 */
export const STATS = script(`${GROUPS}
local key = KEYS[1]
local head = redis.call('HMGET', KEYS[2], 'next', 'ms', 'bytes')
local next = tonumber(head[1] or '1')
local oldest = oldestOf(key)
local seen = false
for _, group in ipairs(groups(key)) do
  if group['name'] == ARGV[1] then
    local finished, unfinished = group['last-delivered-id'], nextUndelivered(key, group)
    local pending = oldestPending(key, group)
    if pending then
      local last = redis.call('XREVRANGE', key, '(' .. pending, '-', 'COUNT', 1)[1]
      finished = last and last[1] or '0-0'
      unfinished = redis.call('XRANGE', key, pending, '+', 'COUNT', 1)[1]
    end
    local lag = 0
    if unfinished then
      local first = firstOf(unfinished)
      local doneMs, done = parts(finished)
      -- The place it has got to may lie within the pack: only there is the millisecond the pack's.
      if doneMs == parts(unfinished[1]) then first = math.max(first, done + 1) end
      lag = next - first
    end
    seen = {finished, lag, unfinished or false}
  end
end
return {next, head[2] or '0', head[3] or '0', lengthFrom(oldest, next), oldest or false, seen}
`);

/**
 * KEYS entries. ARGV packs that one piece removes. Answers the entries removed, and 1 when there may be more to remove.
 * Nothing in or beyond the pack of the first entry that any group has not finished is touched, whoever made the group.
 */
export const TRIM = script(`${GROUPS}
local key, most = KEYS[1], tonumber(ARGV[1])
local all = groups(key)
local oldest = oldestOf(key)
if #all == 0 or not oldest then return {0, 0} end
local newest = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1][1]
local ms, ordinal = parts(newest)
local next = ordinal + 1
local limit = string.format('%d-%d', ms, next)
for _, group in ipairs(all) do
  local pending, undelivered = oldestPending(key, group), nextUndelivered(key, group)
  for _, id in ipairs({pending or limit, undelivered and undelivered[1] or limit}) do
    if before(id, limit) then limit = id end
  end
end
local length = lengthFrom(oldest, next)
local _, kept = parts(limit)
-- Packs are no more than their entries.
if kept - firstOf(oldest) > most then
  -- By whole nodes of memory, which is what can be bounded.
  local removed = redis.call('XTRIM', key, 'MINID', '~', limit, 'LIMIT', most)
  if removed > 0 then return {length - lengthFrom(oldestOf(key), next), 1} end
end
redis.call('XTRIM', key, 'MINID', '=', limit)
return {length - lengthFrom(oldestOf(key), next), 0}
`);
