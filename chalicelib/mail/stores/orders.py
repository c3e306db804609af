"""Orders of mail, in the queue of the workers of tasks."""

from chalicelib.engine.queue import Queue
from chalicelib.json_text import encode
from chalicelib.mail.message import MailOrder


class QueuedMailOrders:
    """The port `MailOrders` on a queue: a message is `{"mail": {"kind", "email", "key"?}}`."""

    def __init__(self, messages: Queue) -> None:
        self._messages = messages

    def send(self, order: MailOrder) -> None:
        """One call; one more before the first."""
        values = {"kind": order.kind.value, "email": order.email}
        if order.key:
            values["key"] = order.key
        self._messages.send(encode({"mail": values}).decode())
