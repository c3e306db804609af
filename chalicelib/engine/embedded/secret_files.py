"""Secrets as files of mode 600, one for each secret, with its text and the id of its version."""

import secrets
from pathlib import Path
from urllib.parse import quote

import orjson

from chalicelib.engine.embedded.database import Database
from chalicelib.engine.embedded.errors import storage_errors
from chalicelib.engine.embedded.folder import write_file
from chalicelib.engine.secrets import SecretVersion


class SecretFiles:
    """The port `Secrets` on files, or in memory."""

    def __init__(self, folder: Path | None, database: Database) -> None:
        """
        Args:
            database: its write transaction is the lock that keeps two processes from replacing one version.
        """
        self._folder = folder
        self._database = database
        self._versions: dict[str, SecretVersion] = {}
        """Without a folder, the secrets."""

    def get(self, name: str, *, limit_s: float | None = None) -> SecretVersion:  # noqa: ARG002  of the port
        """See `Secrets.get`. A file needs no waiting, so the limit is ignored."""
        version = self.find(name)
        if version is None:
            raise RuntimeError(f"there is no secret {name}")
        return version

    def create(self, name: str, text: str) -> SecretVersion:
        """Make a text the first version of a secret that is not there.

        Returns:
            The current version: this one, or the one that was there.
        """
        with self._database.writing():
            return self.find(name) or self._write(name, text)

    def replace(self, name: str, version_id: str, text: str) -> None:
        """See `Secrets.replace`."""
        with self._database.writing():
            if self.get(name).id == version_id:
                self._write(name, text)

    def find(self, name: str) -> SecretVersion | None:
        """The current version of a secret; None if there is none of this name.

        Raises:
            RuntimeError: its file is damaged.
        """
        if self._folder is None:
            return self._versions.get(name)
        with storage_errors():
            try:
                content = secret_path(self._folder, name).read_bytes()
            except FileNotFoundError:
                return None
        try:
            return SecretVersion(**orjson.loads(content))
        except (orjson.JSONDecodeError, TypeError) as error:
            raise RuntimeError(f"the file of the secret {name} is damaged") from error

    def _write(self, name: str, text: str) -> SecretVersion:
        version = SecretVersion(text, secrets.token_hex(16))
        if self._folder is None:
            self._versions[name] = version
        else:
            with storage_errors():
                write_file(secret_path(self._folder, name), [orjson.dumps({"text": version.text, "id": version.id})])
        return version


def secret_path(folder: Path, name: str) -> Path:
    """The file of a secret in the folder of secrets."""
    return folder / f"{quote(name, safe='')}.json"
