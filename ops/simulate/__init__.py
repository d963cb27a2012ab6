"""A believable load: members, their devices and their evenings, seeded and without any client library."""

from ops.simulate.catalog import Film, films
from ops.simulate.load import Load, generate
from ops.simulate.wire import Message, encode

__all__ = ["Film", "Load", "Message", "encode", "films", "generate"]
