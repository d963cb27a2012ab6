"""The stack launcher: Kafka, Cassandra and Redis on this machine without containers, each stack in its own folder."""

from ops.stack.address import StackAddress
from ops.stack.errors import StackError
from ops.stack.stack import ServerStatus, address, kill, pid, start, start_one, status, stop
from ops.stack.versions import VERSIONS, default_home

__all__ = [
    "VERSIONS",
    "ServerStatus",
    "StackAddress",
    "StackError",
    "address",
    "default_home",
    "kill",
    "pid",
    "start",
    "start_one",
    "status",
    "stop",
]
