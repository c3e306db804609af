"""An AWS that answers every request in one way: with a status, with a byte now and then, or not at all."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

OK = b'{"ShardId":"shardId-000000000000","SequenceNumber":"1"}'


class FaultyAws(socketserver.ThreadingTCPServer):
    """Listens at `url` until it is shut down; `behavior` is a status, `hangs` or `drips`."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, behavior: str, body: bytes = OK) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.behavior, self.body = behavior, body
        self.requests = 0
        self.ends = threading.Event()

    @property
    def url(self) -> str:
        """The address of the server."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(socketserver.StreamRequestHandler):
    """A connection of a client."""

    server: FaultyAws

    def handle(self) -> None:
        """Answer requests in turn."""
        while self._read_request():
            self.server.requests += 1
            if self.server.behavior == "hangs":
                self.server.ends.wait()
                return
            if self.server.behavior == "drips":
                self._drip()
                return
            head = f"HTTP/1.1 {self.server.behavior} -\r\nContent-Length: {len(self.server.body)}\r\n\r\n"
            self.wfile.write(head.encode() + self.server.body)

    def _drip(self) -> None:
        # Never silent for as long as a read may take, and never done.
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        while not self.server.ends.wait(0.05):
            try:
                self.wfile.write(b"x")
            except OSError:
                return

    def _read_request(self) -> bool:
        length = 0
        if not self.rfile.readline():
            return False
        while (line := self.rfile.readline().strip()) != b"":
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        self.rfile.read(length)
        return True


@contextmanager
def faulty_aws(behavior: str, body: bytes = OK) -> Iterator[FaultyAws]:
    """A server with this behavior, for a while."""
    with FaultyAws(behavior, body) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.ends.set()
        server.shutdown()
        thread.join()
