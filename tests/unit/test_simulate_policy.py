"""Twenty thousand simulated commands meet every rule of the policy, so that each refusal is seen in a run."""

from collections import Counter
from typing import get_args

from commands.account import Account, apply, initial
from commands.decide import Reason, Rejected, decide
from commands.policy_file import load_policy
from ops.simulate import Load, films, generate
from schemas.events import Envelope

DAY = 86_400_000
NOW = 1_795_000_000_000  # 2026-11


def test_every_reason_shows_up_in_a_run_of_the_usual_size() -> None:
    policy = load_policy()
    accounts: dict[str, Account] = {}
    outcomes: Counter[str] = Counter()
    load = Load(accounts=1500, commands=20_000, seed=7, start=NOW - 90 * DAY, end=NOW)
    for timestamp, command in generate(load, tuple(film.id for film in films())):
        account = accounts.setdefault(command.account_id, initial())
        at = max(timestamp, account.at)
        if command.command_id in account.answered:
            outcomes["duplicate"] += 1
            continue
        decided = decide(command, account, policy, at)
        if isinstance(decided, Rejected):
            outcomes[decided.reason] += 1
            continue
        outcomes["accepted"] += 1
        for event in decided:
            number = account.version + 1
            apply(account, Envelope("", command.account_id, number, at, command.command_id, None, event))
    missing = {*get_args(Reason), "duplicate"} - outcomes.keys()
    assert not missing
    assert 0.85 < outcomes["accepted"] / outcomes.total() < 0.97
