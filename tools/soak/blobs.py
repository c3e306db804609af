"""Blobs: sent with the request and to the storage, read, deleted, listed."""

import base64
import hashlib
import time
from collections.abc import Hashable, Iterator, Sequence

from tools.soak.calls import Question, Reply
from tools.soak.ledger import CHANGED, LOST, Finding
from tools.soak.part import Account, Operation, Part, Write

SIZES = (1, 1000, 20_000, 100_000)
AVAILABLE_WITHIN_S = 60
PAGE = 1000


class Blobs(Part):
    """The blobs of one person: sizes by MD5 digest. Contents are made of a number, so they need not be kept."""

    def __init__(self, account: Account) -> None:
        super().__init__(account, "blobs")
        self._ids: dict[str, str] = {}
        self.contents: dict[str, tuple[int, int]] = {}

    def operations(self) -> Sequence[Operation]:
        """As the Uploader sends files."""
        return (
            *(Operation(1, self._send), Operation(0.5, self._send_directly), Operation(0.4, self._delete)),
            *(Operation(1, self._read), Operation(0.5, self._list)),
        )

    def read_back(self) -> Iterator[tuple[str, Hashable]]:
        """All blobs that are available; remembers their ids."""
        path = f"/v1/users/{self.account.id}/blobs?size={PAGE}&status=available"
        for blob in self.client.ask(Question("list blobs", "GET", path)).json():
            self._ids[blob["digestMD5"]] = blob["id"]
            yield blob["digestMD5"], blob["size"]

    def verify_to_the_last(self) -> list[Finding]:
        """The differences, with the content of each blob."""
        listed = list(self.read_back())
        findings = self.ledger.compare(listed)
        for digest, _ in listed:
            if digest in self.ledger.values:
                findings += self._differences(digest)
        return findings

    def _send(self) -> None:
        digest, content = self._new_content()
        headers = {"Content-Type": "application/octet-stream", "Digest": f"MD5={digest}", "Idempotency-Key": digest}
        path = f"/v1/users/{self.account.id}/blobs"
        question = Question("send a blob", "POST", path, content, headers, (201,))
        reply = self.write(Write({digest: len(content)}, lambda: self.client.ask(question)))
        self._ids[digest] = reply.json()["id"]

    def _send_directly(self) -> None:
        """Send a content to the storage, and wait until the blob is available."""
        digest, content = self._new_content()
        size = str(len(content))
        headers = {"Content-Type": "application/octet-stream", "Digest": f"MD5={digest}", "X-Upload-Size": size}
        path = f"/v1/users/{self.account.id}/blobs?upload=direct"
        blob = self.client.ask(Question("open a blob", "POST", path, b"", headers, (201,))).json()
        upload = blob["upload"]
        sent = upload["headers"] | {"Content-Length": size}
        question = Question("store a blob", upload["method"], upload["url"], content, sent)
        self.write(Write({digest: len(content)}, lambda: self.client.fetch(question), is_repeatable=False))
        self._ids[digest] = blob["id"]
        self._wait_for(digest)

    def _wait_for(self, digest: str) -> None:
        deadline_s = time.monotonic() + AVAILABLE_WITHIN_S
        question = Question("read a blob's status", "GET", f"/v1/blobs/{self._ids[digest]}")
        while self.client.ask(question).json()["status"] != "available":
            if time.monotonic() > deadline_s:
                self.found.append(Finding(LOST, self.ledger.name, f"{digest} is not available"))
                return
            time.sleep(0.2)

    def _delete(self) -> None:
        for digest in self._known():
            path = f"/v1/blobs/{self._ids[digest]}"

            def send(path: str = path) -> Reply:
                statuses = (204, 404) if self.is_repeating else (204,)
                return self.client.ask(Question("delete a blob", "DELETE", path, statuses=statuses))

            self.write(Write({digest: None}, send))

    def _read(self) -> None:
        for digest in self._known():
            self.found += self._differences(digest)

    def _list(self) -> None:
        self.found += self.verify()

    def _differences(self, digest: str) -> list[Finding]:
        path = f"/v1/blobs/{self._ids[digest]}/content"
        content = self.client.ask(Question("read a blob", "GET", path)).body
        is_as_sent = content == _content(*self.contents[digest])
        return [] if is_as_sent else [Finding(CHANGED, self.ledger.name, f"the content of {digest}")]

    def _known(self) -> list[str]:
        return self.chosen(self._ids.keys() & self.ledger.values.keys(), 1)

    def _new_content(self) -> tuple[str, bytes]:
        """The digest of a new content, and the content."""
        made_of = (self.random.getrandbits(64), self.random.choice(SIZES))
        content = _content(*made_of)
        digest = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
        self.contents[digest] = made_of
        return digest, content


def _content(number: int, size: int) -> bytes:
    return number.to_bytes(8, "big") + hashlib.shake_128(number.to_bytes(8, "big")).digest(size)
