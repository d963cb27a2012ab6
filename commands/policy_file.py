"""A policy from its YAML document. The shape is checked here, so that the domain never meets a senseless rule."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from commands.account import DAY, FORGET_AFTER
from commands.policy import Policy, Studio, Terms
from commands.policy_lines import Lines, Problem, read_lines
from schemas.validation import EARLIEST, LATEST

HOUR = 3_600_000
DEFAULT = Path(__file__).with_name("policy.yaml")
#: Bytes of a document: it has to fit in one message.
LARGEST = 1_000_000


class PolicyError(Exception):
    """The document is not a policy. The text names it and everything that is wrong, with lines; so do `problems`."""

    def __init__(self, text: str, problems: Sequence[Problem]) -> None:
        super().__init__(text)
        self.problems = tuple(problems)


def _no_policy(name: str, problems: Sequence[Problem]) -> PolicyError:
    lines = [f"  line {p.line}: {p.where}{': ' if p.where else ''}{p.what}" for p in problems]
    return PolicyError("\n".join([f"{name} is not a policy:", *lines]), problems)


def _moment_in_range(moment: datetime) -> datetime:
    if not EARLIEST <= _ms(moment) < LATEST:
        raise ValueError("is not between the years 2000 and 2100")
    return moment


Count = Annotated[int, Field(strict=True, ge=0, le=100_000)]
Devices = Annotated[int, Field(strict=True, ge=1, le=1000)]
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:@~+=-]{1,128}$")]
# Strict, else a bare number is a moment too.
Moment = Annotated[AwareDatetime, Field(strict=True), AfterValidator(_moment_in_range)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Plan(_Part):
    devices: Devices


class _Terms(_Part):
    duration_days: Annotated[int, Field(strict=True, ge=1, le=3650)] | None = None
    renewals: Annotated[int, Field(strict=True, ge=0, le=1000)] | None = None
    available_until: Moment | None = None
    playback_window_hours: Annotated[int, Field(strict=True, ge=1, le=8784)] | None = None
    yearly_limit: Count | None = None


class _Defaults(_Terms):
    duration_days: Annotated[int, Field(strict=True, ge=1, le=3650)]
    renewals: Annotated[int, Field(strict=True, ge=0, le=1000)]


class _Studio(_Terms):
    withdrawn_from: Moment | None = None
    devices: Devices | None = None
    yearly_downloads: Count | None = None


class _Title(_Terms):
    withdrawn_from: Moment | None = None
    studio: Identifier | None = None


class Document(_Part):
    """A policy as it is written. `policy` is what it means."""

    version: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:@~+=-]{1,64}$")]
    effective_from: Moment
    plans: Annotated[dict[Identifier, _Plan], Field(min_length=1)]
    device_downloads: Annotated[int, Field(strict=True, ge=1, le=10_000)]
    renewal_grace_days: Annotated[int, Field(strict=True, ge=0, le=FORGET_AFTER // DAY)]
    defaults: _Defaults
    studios: dict[Identifier, _Studio] = {}
    titles: dict[Identifier, _Title] = {}

    def policy(self) -> Policy:
        """The rules. What a title leaves out is as its studio says, else as the defaults do."""
        defaults = _terms(self.defaults, Terms(duration=0, renewals=0))
        of_studios = {name: _terms(studio, defaults) for name, studio in self.studios.items()}
        titles = {title: _terms(t, of_studios[t.studio] if t.studio else defaults) for title, t in self.titles.items()}
        return Policy(
            version=self.version,
            plans={name: plan.devices for name, plan in self.plans.items()},
            device_downloads=self.device_downloads,
            renewal_grace=self.renewal_grace_days * DAY,
            defaults=defaults,
            titles=titles,
            studios={
                name: Studio(
                    frozenset(title for title, terms in self.titles.items() if terms.studio == name),
                    studio.devices,
                    studio.yearly_downloads,
                )
                for name, studio in self.studios.items()
            },
            effective_from=_ms(self.effective_from),
        )


def read_document(content: bytes, name: str) -> Document:
    """Read a policy's document; `name` is what to call it where something is wrong.

    Raises:
        PolicyError: it is not YAML, or says something that no policy can mean.
    """
    if len(content) > LARGEST:
        raise _no_policy(name, [Problem(1, "", f"has {len(content):,} bytes; {LARGEST:,} are the most")])
    found = read_lines(content)
    if not isinstance(found.data, dict):
        raise _no_policy(name, found.problems or [Problem(1, "", "is no mapping of keys to values")])
    wrong = [*found.problems, *_unknown_studios(found)]
    document = None
    try:
        document = Document.model_validate(found.data)
    except ValidationError as error:
        pointed = {problem.where for problem in wrong}
        wrong += [one for e in error.errors() if (one := _problem(found, e)).where not in pointed]
    if document is None or wrong:
        raise _no_policy(name, sorted(wrong))
    return document


def read_file(path: Path) -> bytes:
    """The bytes of a policy's file.

    Raises:
        PolicyError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
        raise PolicyError(f"{path} {what}", [Problem(1, "", what)]) from error


def load_document(path: Path) -> Document:
    """Read a policy's document from a file.

    Raises:
        PolicyError: it cannot be read, or is not a policy.
    """
    return read_document(read_file(path), str(path))


def load_policy(path: Path = DEFAULT) -> Policy:
    """Read a policy from a file.

    Raises:
        PolicyError: it cannot be read, or is not a policy.
    """
    return load_document(path).policy()


def _problem(found: Lines, error: Any) -> Problem:
    """Pydantic's finding with its line. For a wrong key its place ends in `[key]`."""
    path = tuple(str(step) for step in error["loc"] if step != "[key]")
    return Problem(found.line(path), ".".join(path), error["msg"].removeprefix("Value error, "))


def _unknown_studios(found: Lines) -> Iterator[Problem]:
    """Titles of studios that the document does not have."""
    data: Any = found.data
    titles, studios = data.get("titles"), data.get("studios") or {}
    for title, terms in titles.items() if isinstance(titles, dict) else ():
        name = terms.get("studio") if isinstance(terms, dict) else None
        if isinstance(name, str) and isinstance(studios, dict) and name not in studios:
            path = ("titles", str(title), "studio")
            yield Problem(found.line(path), ".".join(path), f"there is no {name} among the studios")


def _terms(given: _Terms, base: Terms) -> Terms:
    def own(value: Any, unit: int, inherited: Any) -> Any:
        return inherited if value is None else value * unit

    def moment(value: datetime | None, inherited: int | None) -> int | None:
        return inherited if value is None else _ms(value)

    return Terms(
        duration=own(given.duration_days, DAY, base.duration),
        renewals=own(given.renewals, 1, base.renewals),
        available_until=moment(given.available_until, base.available_until),
        playback_window=own(given.playback_window_hours, HOUR, base.playback_window),
        yearly_limit=own(given.yearly_limit, 1, base.yearly_limit),
        withdrawn_from=moment(getattr(given, "withdrawn_from", None), base.withdrawn_from),
        studio=getattr(given, "studio", None),
    )


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
