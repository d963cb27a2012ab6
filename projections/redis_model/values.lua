-- Reads the values of many keys as of one moment.
--
-- ARGV[1]  msgpack: {type, key, type, key, ...}; type 'h': a hash, 'z': a sorted set, 's': a string
-- Returns  their values in that order: {field, value, ...} | {member, score, ...} | {value} | {}
--          a key of another type reads as {'!', what the server says}

local wanted = cmsgpack.unpack(ARGV[1])
local answer = {}
for i = 1, #wanted, 2 do
  local kind, key, value = wanted[i], wanted[i + 1], nil
  if kind == 'h' then
    value = redis.pcall('HGETALL', key)
  elseif kind == 'z' then
    value = redis.pcall('ZRANGE', key, 0, -1, 'WITHSCORES')
  else
    value = redis.pcall('GET', key)
  end
  if type(value) == 'table' and value.err then
    value = {'!', value.err}
  elseif type(value) ~= 'table' then
    value = value and {value} or {}
  end
  answer[#answer + 1] = value
end
return answer
