"""The films that members download: `ops/catalog.yaml`, most popular first."""

from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import yaml


@dataclass(frozen=True, slots=True)
class Film:
    """One title of the catalog."""

    id: str
    name: str
    year: int
    studio: str


def films() -> tuple[Film, ...]:
    """The catalog, most popular first."""
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    rows = yaml.load(files("ops").joinpath("catalog.yaml").read_text("utf-8"), loader)  # noqa: S506 - both are safe
    return tuple(Film(**row) for row in rows)


def by_popularity(titles: tuple[str, ...], size: int = 4096) -> tuple[str, ...]:
    """Title ids, repeated as often as they are asked for: a uniform draw from it is a Zipf-like draw of a title."""
    weights = [1 / (rank + 4) ** 0.9 for rank in range(len(titles))]
    share = size / sum(weights)
    return tuple(
        title for title, weight in zip(titles, weights, strict=True) for _ in range(max(1, int(weight * share)))
    )
