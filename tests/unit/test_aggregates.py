"""The registries that are found rather than written down."""

import inspect
from typing import get_args

import pytest

from commands.aggregates import ACCOUNT, OF_COMMAND, OF_EVENT, aggregate_of
from projections.views import VIEWS
from projections.views.view import Tag, View
from schemas.commands import COMMANDS
from schemas.events import EVENTS


def test_every_message_has_its_aggregate() -> None:
    assert set(OF_COMMAND) == set(COMMANDS.values())
    assert set(OF_EVENT) == set(EVENTS.values())
    assert ACCOUNT in set(OF_COMMAND.values()) == set(OF_EVENT.values())


@pytest.mark.parametrize("account_id", ["ann", "eu:ann", ":ann", "ann:"])
def test_an_id_is_an_accounts_where_no_aggregate_has_its_beginning(account_id: str) -> None:
    assert aggregate_of(account_id) is ACCOUNT


@pytest.mark.parametrize("view", VIEWS.values(), ids=list(VIEWS))
def test_a_view_has_the_shape_of_one(view: View) -> None:
    assert VIEWS[view.NAME] is view
    assert view.VERSION
    assert view.TAG in get_args(Tag)
    for name in ("project", "query"):
        declared = list(inspect.signature(getattr(View, name)).parameters)[1:]
        assert list(inspect.signature(getattr(view, name)).parameters) == declared


def test_the_views_are_the_files_of_their_folder() -> None:
    assert {"device_downloads", "licenses", "title_downloads"} <= set(VIEWS)
    assert "view" not in VIEWS
