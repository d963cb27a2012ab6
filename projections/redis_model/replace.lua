-- Puts other documents and versions in the place of all that is under one hash tag, or changes nothing.
--
-- KEYS[1]  versions key of the tag
-- ARGV[1]  prefix of the tag's keys: <prefix>{<tag>}:
-- ARGV[2]  msgpack: {versions, wrong, documents, gone}
--            versions   {account, version, ...}: what the documents are made of
--            wrong      {account, text, ...}: versions that stand there and may be lowered or taken away
--            documents  {{id, fields, holds, pruned}, ...}
--                       fields {field, value, ...}  holds {end, member, ...}  pruned  time (ms), "0": never
--            gone       ids of documents to remove
-- Returns  {} | {account, version, ...}: what more has been seen meanwhile; then nothing is changed

local call = redis.call
local tag = ARGV[1]
local given = cmsgpack.unpack(ARGV[2])
local versions, wrong, documents, gone = given[1], given[2], given[3], given[4]

local function pairs_of(list)
  local found = {}
  for i = 1, #list, 2 do found[list[i]] = list[i + 1] end
  return found
end

local seen = redis.pcall('HGETALL', KEYS[1])
if seen.err then seen = {} end  -- no hash: nobody has written versions there
local most, known = pairs_of(versions), pairs_of(wrong)
local answer = {}
for i = 1, #seen, 2 do
  local version = tonumber(seen[i + 1])
  if known[seen[i]] ~= seen[i + 1] and (not version or version > (most[seen[i]] or 0)) then
    answer[#answer + 1] = seen[i]
    answer[#answer + 1] = seen[i + 1]
  end
end
if #answer > 0 then return answer end

-- Lua can pass a few thousand arguments at once; 1000 is even, so pairs stay together.
local function send(command, key, values)
  for i = 1, #values, 1000 do
    call(command, key, unpack(values, i, math.min(i + 999, #values)))
  end
end

call('DEL', KEYS[1], tag .. 'pruned')
send('HSET', KEYS[1], versions)
for i = 1, #gone do call('DEL', tag .. 'doc:' .. gone[i], tag .. 'holds:' .. gone[i]) end
for d = 1, #documents do
  local document = documents[d]
  local hash, holds = tag .. 'doc:' .. document[1], tag .. 'holds:' .. document[1]
  call('DEL', hash, holds)
  send('HSET', hash, document[2])
  send('ZADD', holds, document[3])
  if document[4] ~= '0' then call('HSET', tag .. 'pruned', document[1], document[4]) end
end
return {}
