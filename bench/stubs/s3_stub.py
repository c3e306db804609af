"""A bucket that replies at once, for the measured requests: path style, signatures are not checked."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply: status, body, and headers other than its length."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] | None = None


class Bucket:
    """The objects by path, and the requests counted since they were last read."""

    def __init__(self) -> None:
        self._objects: dict[str, bytes] = {}
        self.calls: Counter[str] = Counter()

    def kept_bytes(self) -> int:
        """The storage of all objects in bytes."""
        return sum(map(len, self._objects.values()))

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        """Reply as S3 would. The signature in the query is ignored."""
        self.calls[method] += 1
        path = path.partition("?")[0]
        match method:
            case "PUT":
                self._objects[path] = body
                return Answer(200, headers={"ETag": '"0"'})
            case "GET" | "HEAD":
                content = self._objects.get(path)
                if content is None:
                    return Answer(404)
                return Answer(200, content, {"ETag": '"0"'})
            case "DELETE":
                self._objects.pop(path, None)
                return Answer(204)
        raise NotImplementedError(method)
