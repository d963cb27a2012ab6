"""Names of the keys, as documented in `ops/redis-keys.md`.

Ids hold no braces, so what stands between them is the tag; what follows the first colon after them is the kind.
"""

import re
from dataclasses import dataclass

_GENERATION = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one generation of a view."""

    namespace: str
    view: str
    generation: str

    def __post_init__(self) -> None:
        if _GENERATION.fullmatch(self.generation) is None:
            raise ValueError(f"a generation is 1 to 64 of A-Z a-z 0-9 . _ -, not {self.generation!r}")

    @property
    def prefix(self) -> str:
        """Before the hash tag."""
        return f"{self.namespace}:{self.view}@{self.generation}:"

    @property
    def partitions(self) -> str:
        """String: how many partitions the events topic has."""
        return f"{self.prefix}partitions"

    @property
    def waiting(self) -> str:
        """Hash: partition -> `<offset> <version>`, where a worker met a version newer than it knows."""
        return f"{self.prefix}waiting"

    @property
    def version(self) -> str:
        """String: the VERSION of the view that fills the generation."""
        return f"{self.prefix}version"

    @property
    def rebuild(self) -> str:
        """Hash: how far the rebuild that fills the generation is, and when it went live and out of use."""
        return f"{self.prefix}rebuild"

    def position(self, partition: int) -> str:
        """String: the next offset of the events topic."""
        return f"{self.prefix}{{p{partition}}}:position"

    def document(self, tag: str, document: str) -> str:
        """Hash: the fields of a document, or of its part."""
        return f"{self.prefix}{{{tag}}}:doc:{document}"

    def holds(self, tag: str, document: str) -> str:
        """Sorted set: member -> end, milliseconds."""
        return f"{self.prefix}{{{tag}}}:holds:{document}"

    def pruned(self, tag: str) -> str:
        """Hash: document id -> before which end (ms) no holds are left."""
        return f"{self.prefix}{{{tag}}}:pruned"

    def versions(self, tag: str) -> str:
        """Hash: account -> last version seen."""
        return f"{self.prefix}{{{tag}}}:versions"

    def split(self, key: str) -> tuple[str, str, str]:
        """The tag, the kind (`doc`, `holds`, `pruned`, `versions`, `position`) and the document id ("" where none)."""
        tag, _, rest = key[len(self.prefix) + 1 :].partition("}:")
        kind, _, document = rest.partition(":")
        return tag, kind, document


def live_key(namespace: str, view: str) -> str:
    """String: the generation that readers use."""
    return f"{namespace}:{view}:live"


def previous_key(namespace: str, view: str) -> str:
    """String: the generation that readers used before the live one."""
    return f"{namespace}:{view}:previous"


def rebuild_key(namespace: str, view: str) -> str:
    """Hash: what is to be known of a view's rebuilds as long as nobody is at work."""
    return f"{namespace}:{view}:rebuild"


def owner_key(namespace: str, view: str) -> str:
    """String with a time to live: who rebuilds the view now."""
    return f"{namespace}:{view}:owner"
