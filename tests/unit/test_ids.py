"""Ids that follow from others."""

from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from schemas.ids import id_from


@given(st.uuids(), st.text(st.characters(codec="utf-8")))
def test_it_is_the_uuid5_of_the_rfc(namespace: UUID, name: str) -> None:
    assert id_from(str(namespace), name) == str(uuid5(namespace, name))
