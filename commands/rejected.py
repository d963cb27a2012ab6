"""A refusal, and the reasons that there are. Pure; `ops/messages.md` tells callers what each means."""

from typing import Literal, TypeAlias

from msgspec import Struct

Reason: TypeAlias = Literal[
    "no_plan",
    "unknown_plan",
    "device_limit",
    "device_download_limit",
    "studio_device_limit",
    "yearly_title_limit",
    "yearly_studio_limit",
    "title_unavailable",
    "title_withdrawn",
    "no_license",
    "license_expired",
    "renewal_limit",
]


class Rejected(Struct, frozen=True, gc=False):
    """A command that the rules refuse: a reason code, and the reason as a sentence."""

    reason: Reason
    message: str
