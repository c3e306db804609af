"""The port of a queue: messages that are delivered at least once, in any order.

Consumers are called with batches of messages (`chalicelib/events`); a message whose consumer fails comes again, and
after the receive limit goes to the queue's dead letters.
"""

from typing import Protocol


class Queue(Protocol):
    """One queue."""

    def send(self, body: str, *, delay_s: int = 0) -> None:
        """Send a message of up to 256 KB: one call, and one more before the first of the process.

        Args:
            delay_s: for how long nobody gets it, up to 900.

        Raises:
            UnavailableError: the engine throttles, times out or cannot be reached. The message may have
                been sent all the same.
        """
