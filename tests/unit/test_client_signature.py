"""The client for asyncio repeats the parameters of the other, so that editors show them; here they cannot drift."""

from inspect import signature

from commands.client import AsyncClient, Client


def test_both_clients_take_the_same() -> None:
    assert signature(AsyncClient) == signature(Client)
