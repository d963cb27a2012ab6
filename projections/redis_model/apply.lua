-- Applies one chunk of one partition whole, or not at all. Runs on Redis 6.2 and later.
--
-- KEYS[1]  position key of the partition
-- ARGV[1]  prefix of the generation's keys
-- ARGV[2]  msgpack: {begin, end, {{tag, versions, documents}, ...}}
--            versions   {account, first, last, account, first, last, ...}
--            documents  {{id, adds, puts, holds, unholds, prune}, ...}
--                       adds {field, amount, ...}  puts {field, value, ...}
--                       holds {end, member, ...}   unholds {member, ...}
--                       prune  time (ms) before which no ended hold stays; 0: the document does not prune
-- Returns  {'applied'} | {'behind', position} | {'out of step', account, seen, account, seen, ...}

local call = redis.call
local prefix = ARGV[1]
local chunk = cmsgpack.unpack(ARGV[2])
local from, to, tags = chunk[1], chunk[2], chunk[3]

-- Behind the chunk: Redis lost data that it had (flushed, or a replica without the last writes took over).
local position = tonumber(call('GET', KEYS[1]) or '0')
if position < from then return {'behind', position} end

local answer = {'out of step'}
for t = 1, #tags do
  local versions = tags[t][2]
  local key = prefix .. '{' .. tags[t][1] .. '}:versions'
  for i = 1, #versions, 3 do
    local seen = tonumber(call('HGET', key, versions[i]) or '0')
    if seen ~= versions[i + 1] - 1 then
      answer[#answer + 1] = versions[i]
      answer[#answer + 1] = seen
    end
  end
end
if #answer > 1 then return answer end

-- Lua can pass a few thousand arguments at once; 1000 is even, so pairs stay together.
local function send(command, key, values)
  for i = 1, #values, 1000 do
    call(command, key, unpack(values, i, math.min(i + 999, #values)))
  end
end

for t = 1, #tags do
  local tag = prefix .. '{' .. tags[t][1] .. '}:'
  local versions, documents = tags[t][2], tags[t][3]
  for i = 1, #versions, 3 do
    call('HSET', tag .. 'versions', versions[i], versions[i + 2])
  end
  for d = 1, #documents do
    local document = documents[d]
    local hash, holds = tag .. 'doc:' .. document[1], tag .. 'holds:' .. document[1]
    local adds = document[2]
    for i = 1, #adds, 2 do call('HINCRBY', hash, adds[i], adds[i + 1]) end
    send('HSET', hash, document[3])
    send('ZADD', holds, document[4])
    send('ZREM', holds, document[5])
    if document[6] > 0 then
      local before = math.max(document[6], tonumber(call('HGET', tag .. 'pruned', document[1]) or '0'))
      before = string.format('%.0f', before)
      call('HSET', tag .. 'pruned', document[1], before)
      call('ZREMRANGEBYSCORE', holds, '-inf', '(' .. before)
    end
  end
end
call('SET', KEYS[1], string.format('%.0f', math.max(position, to)))
return {'applied'}
