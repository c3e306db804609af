"""Mail in memory, and the keys in its links."""

import re
from dataclasses import dataclass, replace

from chalicelib.access.call import platform_call
from chalicelib.json_text import decode
from chalicelib.mail.message import MailText, order_from_message
from chalicelib.mail_orders import carry_out_order
from tests.fakes.services import FakeServices

_KEY = re.compile(r"\?key=([A-Za-z0-9_-]{32})\s")


@dataclass(frozen=True, slots=True)
class SentMail:
    """A mail and its recipient."""

    recipient: str
    mail: MailText

    @property
    def key(self) -> str:
        """The key in its link."""
        found = _KEY.search(self.mail.text)
        assert found is not None
        return found[1]


class MailBox:
    """Takes the mail of services, which send some from now on."""

    def __init__(self, fakes: FakeServices) -> None:
        self._fakes = fakes
        self.sent: list[SentMail] = []
        fakes.settings = replace(fakes.settings, mail_from="strandline@example.org")
        fakes.mailer = self

    def send(self, recipient: str, mail: MailText) -> None:
        """Keep a mail."""
        self.sent.append(SentMail(recipient, mail))

    def orders(self) -> list[dict[str, str]]:
        """The orders in the queue, which stay there."""
        messages = self._fakes.engine.task_queue.receive(10)
        self._fakes.engine.task_queue.release(messages)
        return [decode(message.body.encode())["mail"] for message in messages]

    def deliver(self) -> list[SentMail]:
        """Send what was ordered, and return the mails of it."""
        before = len(self.sent)
        while messages := self._fakes.engine.task_queue.receive(10):
            for message in messages:
                call = platform_call(self._fakes.now_ms, self._fakes.new_id)
                order = order_from_message(decode(message.body.encode())["mail"])
                carry_out_order(call, order, self._fakes.services)
            self._fakes.engine.task_queue.delete(messages)
        return self.sent[before:]

    def key(self) -> str:
        """The key in the only mail that was ordered."""
        [mail] = self.deliver()
        return mail.key
