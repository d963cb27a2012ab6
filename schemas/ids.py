"""Ids that follow from others."""

from hashlib import sha1

#: A hexadecimal digit with the two highest bits of the RFC's variant.
_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))


def id_from(namespace: str, name: str) -> str:
    """`uuid5` (RFC 9562) of a uuid and a name, without the objects that the standard library makes on the way."""
    digest = sha1(bytes.fromhex(namespace.replace("-", "")) + name.encode(), usedforsecurity=False).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{_VARIANT[digest[16]]}{digest[17:20]}-{digest[20:32]}"
