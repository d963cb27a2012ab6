"""The topics: their names, and which partition an account's messages go to."""

import struct
from dataclasses import dataclass
from functools import lru_cache

_MASK = 0xFFFFFFFF
_M = 0x5BD1E995
_SEED = 0x9747B28C


@dataclass(frozen=True, slots=True)
class Topics:
    """Topic names below one namespace. All but that of the policies have equal partition counts."""

    namespace: str = "licensing"

    @property
    def commands(self) -> str:
        """Commands, by account."""
        return f"{self.namespace}.commands"

    @property
    def events(self) -> str:
        """Events, on the partition of the shard that wrote them."""
        return f"{self.namespace}.events"

    @property
    def replies(self) -> str:
        """Outcomes, on the partition of their command."""
        return f"{self.namespace}.replies"

    @property
    def dead_letters(self) -> str:
        """What could not be read or was invalid, on the partition it came from."""
        return f"{self.namespace}.dead-letters"

    @property
    def replayed(self) -> str:
        """Which dead letters were replayed, by their partition and offset, on one partition."""
        return f"{self.dead_letters}.replayed"

    @property
    def policies(self) -> str:
        """The rules by version, on one partition that every handler reads."""
        return f"{self.namespace}.policies"

    def all(self) -> tuple[str, str, str, str]:
        """The topics that have a partition for each shard."""
        return self.commands, self.events, self.replies, self.dead_letters


def topics_of(topic: str) -> Topics:
    """The topics of the namespace that a topic is in."""
    return Topics(topic.rpartition(".")[0])


def murmur2(data: bytes) -> int:
    """Kafka's murmur2 as an unsigned 32-bit number (org.apache.kafka.common.utils.Utils.murmur2)."""
    length = len(data)
    h = (_SEED ^ length) & _MASK
    whole = length & ~3
    for word in struct.unpack_from(f"<{length >> 2}I", data):
        k = word * _M & _MASK
        k = (k ^ k >> 24) * _M & _MASK
        h = (h * _M & _MASK) ^ k
    if whole != length:
        h = (h ^ int.from_bytes(data[whole:], "little")) * _M & _MASK
    h = (h ^ h >> 13) * _M & _MASK
    return h ^ h >> 15


@lru_cache(1 << 16)  # an account comes again and again
def partition_of(account_id: str, partitions: int) -> int:
    """The partition of an account, as Java's default partitioner and `partitioner=murmur2_random` choose it."""
    return (murmur2(account_id.encode()) & 0x7FFFFFFF) % partitions
