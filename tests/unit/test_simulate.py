"""The simulated load is deterministic, valid, in time order per account, and meets every rule of the policy."""

from collections import Counter
from itertools import islice

import pytest

from ops.simulate import Load, encode, films, generate
from schemas.codec import decode_command
from schemas.commands import AcquireLicense, Command
from schemas.validation import validate, validate_timestamp

DAY = 86_400_000
END = 1_795_000_000_000
TITLES = tuple(film.id for film in films())


def load(commands: int = 3000, accounts: int = 200, seed: int = 7, days: float = 90) -> list[tuple[int, Command]]:
    return list(generate(Load(accounts, commands, seed, END - int(days * DAY), END), TITLES))


def test_the_same_seed_gives_the_same_commands_and_another_seed_others() -> None:
    assert load() == load()
    assert load() != load(seed=8)


@pytest.mark.parametrize("commands", [0, 1, 7, 3000])
@pytest.mark.parametrize("days", [0.01, 1, 90])
def test_there_are_as_many_commands_as_asked_for_within_the_period(commands: int, days: float) -> None:
    made = load(commands, days=days)
    assert len(made) == commands
    assert all(END - days * DAY <= at < END for at, _ in made)


def test_an_account_s_commands_are_in_time_order() -> None:
    last: dict[str, int] = {}
    for at, command in load(30_000, accounts=100):
        assert at >= last.get(command.account_id, 0)
        last[command.account_id] = at


def test_every_command_is_valid() -> None:
    for at, command in load():
        validate(command)
        validate_timestamp(at)


def test_a_retry_is_the_same_command_a_few_seconds_later() -> None:
    made = load()
    seen: dict[str, tuple[int, Command]] = {}
    retries = 0
    for at, command in made:
        if command.command_id in seen:
            first_at, first = seen[command.command_id]
            assert command == first
            assert 0 <= at - first_at < 8_000
            assert isinstance(command, AcquireLicense)
            retries += 1
        seen[command.command_id] = at, command
    assert 0.005 < retries / len(made) < 0.03


def test_downloads_crowd_into_the_evening_and_onto_popular_films() -> None:
    acquired = [(at, c.title_id) for at, c in load(20_000, accounts=1500) if isinstance(c, AcquireLicense)]
    by_title = Counter(title for _, title in acquired)
    assert by_title["the-shawshank-redemption-1994"] > 5 * by_title["the-lives-of-others-2006"] > 0
    assert len(by_title) > 0.9 * len(TITLES)


def test_a_share_of_the_messages_is_broken_and_the_rest_decodes_to_the_command() -> None:
    made = load(20_000, accounts=1500)
    messages = list(encode(made, bad=0.01, seed=7))
    assert len(messages) == len(made)
    assert 0.007 < sum(message.command_id is None for message in messages) / len(messages) < 0.013
    for (at, command), message in islice(zip(made, messages, strict=True), 2000):
        if message.command_id is not None and message.value is not None:
            assert decode_command(message.value) == command
            assert (message.key, message.timestamp) == (command.account_id.encode(), at)
