"""A child process that runs tasks: it takes one message after another from its parent, and ends with it.

At the hard limit of a task this process ends alone, and the requests of the parent share no interpreter with the work
of a task. It is started when there is a task, by a new interpreter: a fork would copy the threads' locks.

    python -m strandline.home.work.task_process DATA_DIR

The parent writes a message in a line, and reads `done` or `failed` in a line. Log lines go to standard error.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Thread
from typing import IO

from chalicelib import services as process_services
from chalicelib.engine.embedded.sqlite_queue import Message
from chalicelib.events.tasks import run_task
from chalicelib.observability import FunctionFailedError
from chalicelib.services import machine
from strandline.home.log import copy_log, count_in_log, log_to_pipe
from strandline.home.opening import open_home
from strandline.home.options import home_settings
from strandline.home.work.memory import FreedMemory, share_heap
from strandline.home.work.records import sqs_event
from strandline.platform import platform_folder

DONE, FAILED = "done", "failed"
CODE = ("-m", "strandline.home.work.task_process")
ENDING_S = 5.0
"""Time that the process gets to end after its pipe is closed."""


class TaskProcess:
    """The child process, as its parent sees it. It is started when it is needed."""

    def __init__(self, data_dir: Path, environ: Mapping[str, str], code: Sequence[str] = CODE) -> None:
        """
        Args:
            environ: the settings of the platform.
            code: what the interpreter of the process runs, as arguments of its command line.
        """
        self._code = code
        self._data_dir = data_dir
        self._environ = environ
        self._process: subprocess.Popen[str] | None = None

    def run(self, body: str) -> bool:
        """Run the task of a message; returns whether the function ended without an error.

        False as well if the process died, as it does at a task's hard limit: the next message gets a new one.
        """
        process = self._process or self._start()
        assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018  they are pipes
        try:
            process.stdin.write(json.dumps(body) + "\n")
            process.stdin.flush()
            answer = process.stdout.readline().strip()
        except OSError:
            answer = ""
        if not answer:
            self.end()
        return answer == DONE

    def end(self) -> None:
        """End the process, and what it runs. Nothing happens if there is none."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait(ENDING_S)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # what was not read can no longer be written
                    continue

    def _start(self) -> "subprocess.Popen[str]":
        folders = [str(platform_folder()), str(Path(__file__).resolve().parents[3]), os.environ.get("PYTHONPATH", "")]
        process = subprocess.Popen(  # noqa: S603  this interpreter, and a module of this package
            [sys.executable, *self._code, str(self._data_dir)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env={**os.environ, **self._environ, "PYTHONPATH": os.pathsep.join(filter(None, folders))},
            start_new_session=True,  # Ctrl-C is for the parent, which lets a task end
        )
        Thread(target=_keep_log, args=[process.stderr], name="log of tasks", daemon=True).start()
        self._process = process
        return process


def _keep_log(lines: IO[str]) -> None:
    with lines:
        copy_log(lines)


def main() -> None:
    """Run the tasks of messages until the parent closes the pipe or dies."""
    share_heap()
    log_to_pipe(sys.stderr)
    answers, sys.stdout = sys.stdout, sys.stderr
    bodies: SimpleQueue[str] = SimpleQueue()
    Thread(target=_read, args=[bodies], name="messages", daemon=True).start()
    surroundings = replace(machine(), count=count_in_log)
    with open_home(Path(sys.argv[1]), home_settings(os.environ), surroundings=surroundings, must_exist=True) as home:
        process_services.override(home.services)
        freed_memory = FreedMemory(Event())
        while True:
            answer = _answer(bodies.get())
            freed_memory.give_back()
            print(answer, file=answers, flush=True)


def _read(bodies: "SimpleQueue[str]") -> None:
    """Read messages; end this process, whatever it does, when there can be no more."""
    for line in sys.stdin:
        bodies.put(json.loads(line))
    os._exit(0)


def _answer(body: str) -> str:
    try:
        run_task(sqs_event([Message(0, body, "", 1, 0)]), None)
    except FunctionFailedError:  # it is in the log
        return FAILED
    return DONE


if __name__ == "__main__":
    main()
