"""The log of a home server: a file of bounded size in the data folder, or one that the person names.

Defects are shown on standard error as well. As on Lambda, no line has a health value, a token or an e-mail address.
"""

import logging
import os
import sys
from collections.abc import Iterable
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO

from chalicelib.observability import log_to, logger, stack_frames

LOG_NAME = "strandline.log"
"""The file in the data folder. `strandline.log.1` has the lines before its own."""
MAX_FILE_BYTES = 5 * 1024 * 1024
KEPT_FILES = 1
_LIBRARIES = ("waitress", "waitress.queue")
"""Loggers of libraries. Their messages may have paths, and so ids of users."""
_COPIED = "copied"
"""The name of records that are log lines already."""


class _Formatter(logging.Formatter):
    """Leaves copied lines as they are, and formats others as Powertools does."""

    def __init__(self, formatter: logging.Formatter | None) -> None:
        super().__init__()
        self._formatter = formatter or logging.Formatter()

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        return record.getMessage() if record.name == _COPIED else self._formatter.format(record)


class _WithoutMessages(logging.Handler):
    """Passes on the errors of a library by their type and place."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log an error; what a library says beside errors is dropped."""
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            logger.error("defect", error=type(error).__name__, at=stack_frames(error))


class OwnersFile(RotatingFileHandler):
    """A log file that its owner alone may read, and so may each file that takes its place."""

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return os.fdopen(descriptor, "a", encoding=self.encoding, errors=self.errors)


def set_up_log(path: Path, *, is_verbose: bool) -> None:
    """Log into a file, and show defects; with `is_verbose`, show all lines.

    Raises:
        OSError: the file cannot be written.
    """
    shown = logging.StreamHandler(sys.stderr)
    shown.setLevel(logging.INFO if is_verbose else logging.ERROR)
    _set_up([OwnersFile(path, maxBytes=MAX_FILE_BYTES, backupCount=KEPT_FILES, encoding="utf-8"), shown])


def log_to_pipe(stream: IO[str]) -> None:
    """Log into a pipe to the process that started this one, which keeps the lines by `copy_log`."""
    _set_up([logging.StreamHandler(stream)])


def copy_log(lines: Iterable[str]) -> None:
    """Add the log lines of another process to those of this one, until there are no more."""
    for line in lines:
        level = logging.ERROR if '"level":"ERROR"' in line else logging.INFO
        record = logging.LogRecord(_COPIED, level, "", 0, line.rstrip("\n"), None, None)
        for handler in logger.handlers:
            if level >= handler.level:
                handler.handle(record)


def count_in_log(name: str, value: int) -> None:
    """Add to a metric: a line in the log."""
    logger.info("counted", metric=name, value=value)


def _set_up(handlers: list[logging.Handler]) -> None:
    log_to(handlers)
    for handler in handlers:
        handler.setFormatter(_Formatter(handler.formatter))
    logging.raiseExceptions = False  # a full disk stops the log, and not what is logged
    for name in _LIBRARIES:
        library = logging.getLogger(name)
        library.propagate = False
        library.handlers = [_WithoutMessages()]
