"""The store of large replies, in memory."""


class FakeLargeReplies:
    """Large answers in a dictionary by their address: body, media type and encoding."""

    def __init__(self) -> None:
        self.by_url: dict[str, tuple[bytes, str, str | None]] = {}

    def put(self, body: bytes, content_type: str, content_encoding: str | None) -> str:
        """An address that counts up."""
        url = f"https://bucket.example.org/answers/{len(self.by_url)}"
        self.by_url[url] = (body, content_type, content_encoding)
        return url
