"""A policy from its YAML document. The shape is checked here, so that the domain never meets a senseless rule."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from commands.account import DAY, FORGET_AFTER
from commands.policy import Policy, Terms

HOUR = 3_600_000
DEFAULT = Path(__file__).with_name("policy.yaml")

Count = Annotated[int, Field(strict=True, ge=0, le=100_000)]
Positive = Annotated[int, Field(strict=True, ge=1, le=100_000)]
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:@~+=-]{1,128}$")]


class PolicyError(Exception):
    """The document is not a policy. The text names the file and every field that is wrong."""


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Plan(_Document):
    devices: Positive


class _Terms(_Document):
    duration_days: Positive | None = None
    renewals: Count | None = None
    available_until: Annotated[AwareDatetime, Field(strict=True)] | None = None  # else a bare number is a moment too
    playback_window_hours: Positive | None = None
    yearly_limit: Count | None = None


class _Policy(_Document):
    version: Annotated[str, Field(min_length=1, max_length=64)]
    plans: Annotated[dict[Identifier, _Plan], Field(min_length=1)]
    device_downloads: Positive
    renewal_grace_days: Annotated[int, Field(strict=True, ge=0, le=FORGET_AFTER // DAY)]
    defaults: _Terms
    titles: dict[Identifier, _Terms] = {}


def load_policy(path: Path = DEFAULT) -> Policy:
    """Read a policy.

    Raises:
        PolicyError: the file cannot be read, is not YAML, or says something that no policy can mean.
    """
    try:
        document = _Policy.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise PolicyError(f"{path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise PolicyError(f"{path} is not YAML: {error}") from error
    except ValidationError as error:
        lines = [f"  {'.'.join(map(str, e['loc'])) or 'document'}: {e['msg']}" for e in error.errors()]
        raise PolicyError("\n".join([f"{path} is not a policy:", *lines])) from error
    except ValueError as error:  # not UTF-8, or a day that no calendar has
        raise PolicyError(f"{path} cannot be read: {error}") from error
    if document.defaults.duration_days is None or document.defaults.renewals is None:
        raise PolicyError(f"{path} is not a policy:\n  defaults: duration_days and renewals have to be given")
    defaults = _terms(document.defaults, Terms(duration=0, renewals=0))
    return Policy(
        version=document.version,
        plans={name: plan.devices for name, plan in document.plans.items()},
        device_downloads=document.device_downloads,
        renewal_grace=document.renewal_grace_days * DAY,
        defaults=defaults,
        titles={title_id: _terms(terms, defaults) for title_id, terms in document.titles.items()},
    )


def _terms(given: _Terms, base: Terms) -> Terms:
    return Terms(
        duration=base.duration if given.duration_days is None else given.duration_days * DAY,
        renewals=base.renewals if given.renewals is None else given.renewals,
        available_until=base.available_until if given.available_until is None else _ms(given.available_until),
        playback_window=(
            base.playback_window if given.playback_window_hours is None else given.playback_window_hours * HOUR
        ),
        yearly_limit=base.yearly_limit if given.yearly_limit is None else given.yearly_limit,
    )


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
