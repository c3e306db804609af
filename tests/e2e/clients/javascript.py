"""JavaScript clients of a running server: Node's own fetch, and the npm package `tidepool-platform-client`.

The package is installed by npm as `tests/e2e/clients/javascript/package-lock.json` pins it, once for each lock file.
"""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.client import PASSWORD, User
from tests.e2e.npm import installed_packages, require_programs

SCRIPTS = Path(__file__).parent / "javascript"
RUN_TIMEOUT_S = 120


@dataclass(frozen=True, slots=True)
class Fetched:
    """The response that Node's fetch got after following redirects."""

    status: int
    is_redirected: bool
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class JavaScript:
    """Runs the scripts of `tests/e2e/clients/javascript` in the folder where their package is installed."""

    folder: Path

    def fetch(self, url: str, token: str | None) -> Fetched:
        """Read an address with Node's fetch."""
        got = json.loads(self._run("read_with_fetch.mjs", {"url": url, "token": token}))
        return Fetched(got["status"], got["isRedirected"], got["bytes"], got["sha256"])

    def platform_client(self, user: User, *calls: tuple[Any, ...]) -> list[Any]:
        """The results of functions of `tidepool-platform-client`, which signs in first; a call is a name and arguments.

        Raises:
            AssertionError: the client takes an answer for an error.
        """
        given = {"baseUrl": user.base_url, "email": user.email, "password": PASSWORD, "calls": calls}
        results: list[Any] = json.loads(self._run("platform_client.mjs", given))
        return results

    def _run(self, script: str, given: Any) -> bytes:
        ended = subprocess.run(
            ["node", str(SCRIPTS / script)],
            cwd=self.folder,
            input=json.dumps(given).encode(),
            capture_output=True,
            timeout=RUN_TIMEOUT_S,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr.decode()
        return ended.stdout


def installed() -> JavaScript:
    """The clients, installed. Without node and npm the test is skipped; in CI it fails."""
    require_programs("node", "npm")
    return JavaScript(installed_packages(SCRIPTS))
