-- Makes another generation the one that readers use, if the live one is still the one that was looked at.
--
-- KEYS[1]  live pointer               KEYS[2]  the generation before it
-- KEYS[3]  rebuild hash of the view   KEYS[4]  version of the generation that goes live
-- KEYS[5]  its rebuild hash           KEYS[6]  rebuild hash of the one that was live ('': none was)
-- KEYS[7, 9, ...]  position of the one that goes live, by partition
-- KEYS[8, 10, ...] the same of the one that was live ('': not to be compared)
-- ARGV[1]  the generation that was live ('': none)   ARGV[2]  the one that goes live   ARGV[3]  now, ms
-- ARGV[4, 5, ...]  the least position, by partition
-- Returns  'flipped' | 'gone' (the generation is not there, or going) | 'moved' (another one is live)
--          | 'less' (it is not as far as it was brought) | 'behind' (readers have seen events that it does not have)

local call = redis.call
if (call('GET', KEYS[1]) or '') ~= ARGV[1] then return 'moved' end
if call('EXISTS', KEYS[4]) == 0 or call('HEXISTS', KEYS[5], 'dropped') == 1 then return 'gone' end
for n = 4, #ARGV do
  local position = tonumber(call('GET', KEYS[2 * n - 1]) or '0')
  if position < tonumber(ARGV[n]) then return 'less' end
  local was = KEYS[2 * n]
  if was ~= '' and position < tonumber(call('GET', was) or '0') then return 'behind' end
end
if ARGV[1] ~= '' then
  call('SET', KEYS[2], ARGV[1])
  call('HSET', KEYS[6], 'retired', ARGV[3])
end
call('SET', KEYS[1], ARGV[2])
call('HSET', KEYS[5], 'live', ARGV[3])
call('HDEL', KEYS[5], 'retired')
if call('HGET', KEYS[3], 'filling') == ARGV[2] then call('HDEL', KEYS[3], 'filling', 'asked') end
return 'flipped'
