"""YAML as plain values that know their lines, so that whatever is wrong in a document can be pointed at."""

import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import yaml

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
#: Levels of a document; a policy has four.
DEPTH = 8
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Path: TypeAlias = tuple[str, ...]


class Problem(NamedTuple):
    """Something wrong: its line (from 1), where in the document it is (such as `plans.basic`), and what it is."""

    line: int
    where: str
    what: str


@dataclass(slots=True)
class Lines:
    """A document's `data`, the line of each key, and what was wrong with it as YAML."""

    data: object = None
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line(self, path: Path) -> int:
        """The line of a place in the document, or of the nearest thing around it that is there."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read_lines(content: bytes) -> Lines:
    """Read a YAML document; what cannot be read is among its `problems`."""
    found = Lines()
    try:
        text = content.decode("utf-8")
        if wrong := _UNPRINTABLE.search(text):
            found.problems.append(Problem(_line_of(content, text[: wrong.start()]), "", f"is no text: {wrong[0]!r}"))
        elif not _too_clever(text, found):
            node = yaml.compose(text, Loader=_LOADER)
            found.data = None if node is None else _Walk(found).value(node, ())
    except UnicodeDecodeError as error:
        found.problems.append(Problem(content.count(b"\n", 0, error.start) + 1, "", f"is not UTF-8: {error.reason}"))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        what = getattr(error, "problem", None) or str(error)
        found.problems.append(Problem(mark.line + 1 if mark else 1, "", f"is not YAML: {what}"))
    return found


def _line_of(content: bytes, before: str) -> int:
    return content.count(b"\n", 0, len(before.encode())) + 1


def _too_clever(text: str, found: Lines) -> bool:
    """Whether it holds what makes a small document a huge one: aliases, or more levels than a policy has."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        line = _line(event)
        if isinstance(event, yaml.AliasEvent):
            found.problems.append(Problem(line, "", f"has an alias, *{event.anchor}: write out what it stands for"))
        elif isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEPTH:
                found.problems.append(Problem(line, "", f"is nested deeper than {DEPTH} levels"))
                return True
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return bool(found.problems)


def _line(found: Any) -> int:
    """The line, from 1, of an event or a node."""
    return int(found.start_mark.line) + 1


class _Walk:
    """From nodes to values, with what is wrong on the way."""

    def __init__(self, found: Lines) -> None:
        self._found = found
        self._scalars = yaml.SafeLoader("")

    def value(self, node: yaml.Node, path: Path) -> object:
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(one, (*path, str(index))) for index, one in enumerate(node.value)]
        return self._scalar(node, path)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[object, object]:
        values: dict[object, object] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._wrong(key_node, path, "a key has to be plain text")
                continue
            key = self._scalar(key_node, path)
            place = (*path, str(key))
            if key in values:
                self._wrong(key_node, place, f"is there twice, first on line {self._found.line(place)}")
                continue
            self._found.lines[place] = _line(key_node)
            values[key] = self.value(value_node, place)
        return values

    def _scalar(self, node: yaml.Node, path: Path) -> Any:
        try:
            return self._scalars.construct_object(node)
        except yaml.YAMLError:
            self._wrong(node, path, f"{node.tag} is nothing that a policy can hold")
        except (ValueError, OverflowError) as error:  # a day that no calendar has
            self._wrong(node, path, f"{node.value}: {error}")
        return node.value

    def _wrong(self, node: yaml.Node, path: Path, what: str) -> None:
        self._found.problems.append(Problem(_line(node), ".".join(path), what))
