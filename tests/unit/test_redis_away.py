"""Which errors of Redis are waited for. The texts are what servers have said."""

from typing import Any, cast

import pytest
from redis._parsers.base import BaseParser
from redis.exceptions import RedisError

from projections.redis_model.writer import is_away

#: How Redis 6.2 tells what a command of a script has met; later ones begin with what it was.
IN_A_SCRIPT = "ERR Error running script (call to f_9e9b87d0): @user_script:47: @user_script: 47: -{} "


def answered(text: str) -> RedisError:
    error = cast(Any, BaseParser).parse_error(text)
    assert isinstance(error, RedisError)
    return error


@pytest.mark.parametrize(
    "text",
    [
        "LOADING Redis is loading the dataset in memory",
        "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
        "NOSCRIPT No matching script. Please use EVAL.",
        "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
        "CLUSTERDOWN The cluster is down",
        "TRYAGAIN Multiple keys request during rehashing of slot",
        "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)",
        "ERR max number of clients reached",
        "ERR Error running script (call to f_9e9b87d0): @user_script:1: Script killed by user with SCRIPT KILL... ",
        "ERR Error running script, Script killed by user with SCRIPT KILL.",
    ],
)
def test_a_server_that_cannot_answer_now_is_away(text: str) -> None:
    assert is_away(answered(text))


@pytest.mark.parametrize(
    "text",
    [
        "OOM command not allowed when used memory > 'maxmemory'.",
        "READONLY You can't write against a read only replica.",
        "NOREPLICAS Not enough good replicas to write.",
        "MISCONF Redis is configured to save RDB snapshots, but it is currently not able to persist on disk.",
    ],
)
def test_so_is_one_that_takes_no_writes_whatever_a_script_of_it_says(text: str) -> None:
    assert is_away(answered(text))
    assert is_away(answered(IN_A_SCRIPT.format(text)))


@pytest.mark.parametrize(
    "text",
    [
        "WRONGTYPE Operation against a key holding the wrong kind of value",
        IN_A_SCRIPT.format("WRONGTYPE Operation against a key holding the wrong kind of value"),
        "BUSYKEY Target key name already exists.",
        "ERR unknown command 'OOM', with args beginning with: ",
        "NOPERM this user has no permissions to run the 'evalsha' command",
    ],
)
def test_what_waiting_does_not_heal_is_a_failure(text: str) -> None:
    assert not is_away(answered(text))
