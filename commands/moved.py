"""What to say of accounts whose partition is another one than before. Pure."""

from commands.ports import NotPrepared


def moved(account_id: str, before: int, now: int) -> NotPrepared:
    """An account's history is another shard's, and would begin anew here, over the old one."""
    return NotPrepared(
        f"account {account_id} has events of partition {before}, and is on {now} now: the number of partitions was"
        " changed, which is fixed once there are events. Use topics of another LICENSING_NAMESPACE, and another"
        " LICENSING_KEYSPACE."
    )
