"""Writers and readers of flat records, each made for one schema.

What a general library looks up for every field of every message, these have written into them: they take a third of
fastavro's time and give the same, to the byte. They know the common forms only (integers and lengths at their
shortest, arrays of one block, texts of whole messages that are read below 64 bytes). On anything else they raise,
whatever it is that raises, and the caller asks fastavro, which knows the rest and what is wrong.
"""

from schemas.flat.reader import bytes_at, part_reader, reader
from schemas.flat.writer import array, sized, varint, writer

__all__ = ["array", "bytes_at", "part_reader", "reader", "sized", "varint", "writer"]
