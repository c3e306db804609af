"""A bucket that answers at once, for what the measured requests put there; path style, no signatures checked."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, body, and the headers beside its length."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] | None = None


class Bucket:
    """Objects by their path, and what was asked since that was last looked at."""

    def __init__(self) -> None:
        self._objects: dict[str, bytes] = {}
        self.calls: Counter[str] = Counter()

    def kept_bytes(self) -> int:
        """What all objects take in storage."""
        return sum(map(len, self._objects.values()))

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        """What S3 would answer; what a path's query signs is not looked at."""
        self.calls[method] += 1
        path = path.partition("?")[0]
        match method:
            case "PUT":
                self._objects[path] = body
                return Answer(200, headers={"ETag": '"0"'})
            case "GET" | "HEAD":
                found = self._objects.get(path)
                if found is None:
                    return Answer(404)
                return Answer(200, found, {"ETag": '"0"'})
            case "DELETE":
                self._objects.pop(path, None)
                return Answer(204)
        raise NotImplementedError(method)
