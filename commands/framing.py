"""Messages in Confluent's wire format: brought to single-object encoding before anything else is done with them."""

from collections.abc import Callable

from msgspec.structs import replace

from commands.intake import Message
from schemas.confluent import Frames
from schemas.wire import is_framed


class Unframed:
    """Turns messages of the commands topic; `text`: asks a registry for the schema with an id, None: it has none."""

    def __init__(self, text: Callable[[int], str | None]) -> None:
        self._frames = Frames()
        self._text = text

    def __call__(self, message: Message) -> Message:
        """The message with a value that needs no registry; as it is, if it has one or the registry does not know it.

        Raises:
            StoreUnavailable: the registry does not answer, and has to be asked.
        """
        if message.value is None or not is_framed(message.value):
            return message
        return replace(message, value=self._frames.asking(message.value, self._text))
