"""The log of a home server."""

import logging
from pathlib import Path

from strandline.home.log import OwnersFile


def test_the_owner_alone_may_read_the_log_and_what_takes_its_place(tmp_path: Path) -> None:
    path = tmp_path / "strandline.log"
    handler = OwnersFile(path, maxBytes=10, backupCount=1, encoding="utf-8")
    for _ in range(3):
        handler.emit(logging.LogRecord("a", logging.INFO, "", 0, "a line of the log", None, None))
    handler.close()

    files = {file.name: oct(file.stat().st_mode & 0o777) for file in tmp_path.iterdir()}
    assert files == {"strandline.log": "0o600", "strandline.log.1": "0o600"}
