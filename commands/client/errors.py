"""What can go wrong between a command and its reply. After each of them the same command may be sent again."""


class ClientError(Exception):
    """No outcome is known. The text says why, and what to do."""


class NoReply(ClientError):
    """The reply did not come in time; the command may have been handled, or may be yet."""


class NotDelivered(ClientError):
    """Kafka did not confirm the command, or refused it."""


class Closed(ClientError):
    """The client is closed, or was while the command waited for its reply."""


class Busy(ClientError):
    """As many commands wait for replies as may, and none of them ended in time."""


class Forked(ClientError):
    """The client belongs to the parent process: its threads and connections do not come along."""


class Broken(ClientError):
    """The client cannot go on; a new one can."""


class NotSeen(ClientError):
    """The view has not read as far as the reply says, within the time given."""
