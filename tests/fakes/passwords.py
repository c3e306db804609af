"""Passwords that cost nothing to hash."""


class FakePasswords:
    """Passwords under a mark that says with which parameters they were "hashed"."""

    def __init__(self) -> None:
        self.parameters = "now"
        self.verified: list[str | None] = []

    def hash(self, password: str) -> str:
        """The password behind the parameters."""
        return f"{self.parameters}:{password}"

    def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is the one behind the parameters; each call is recorded."""
        self.verified.append(password_hash)
        return password_hash is not None and password_hash.partition(":")[2] == password

    def needs_rehash(self, password_hash: str) -> bool:
        """Whether the hash was made with other parameters."""
        return password_hash.partition(":")[0] != self.parameters
