"""For upstream services: send commands, await their replies, wait until a view shows them. See ops/client.md.

It imports none of the handler: confluent-kafka, fastavro, msgspec, and redis where a view is waited for.
"""

from commands.client.aio import AsyncClient
from commands.client.errors import Broken, Busy, ClientError, Closed, Forked, NoReply, NotDelivered, NotSeen
from commands.client.sync import Client

__all__ = [
    "AsyncClient",
    "Broken",
    "Busy",
    "Client",
    "ClientError",
    "Closed",
    "Forked",
    "NoReply",
    "NotDelivered",
    "NotSeen",
]
