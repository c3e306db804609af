"""The content of a temporary file, as the body of a reply."""

from collections.abc import Iterator
from typing import IO

BLOCK_BYTES = 64 * 1024


class FileContent:
    """All bytes of a file that nobody else uses; it is closed when they have been read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.size_bytes = file.seek(0, 2)

    def parts(self) -> Iterator[bytes]:
        """The bytes, in blocks."""
        with self._file as file:
            file.seek(0)
            while block := file.read(BLOCK_BYTES):
                yield block
