"""The read model in Redis. The only importer of the Redis client; `ops/redis-keys.md` documents the keys."""
