"""A headless Chromium for the tests of pages."""

import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
TIMEOUT_S = 20

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")


class Chromium:
    """A page of a headless Chromium, driven through a pipe by the DevTools protocol.

    Scripts of the page run only if they are asked for.
    """

    def __init__(self, folder: Path, *, runs_scripts: bool = False) -> None:
        from_us, to_it = os.pipe()
        from_it, to_us = os.pipe()
        # The protocol's ends are file descriptors 3 and 4 of the browser.
        script = f'exec 3<&{from_us} 4>&{to_us}; exec "$0" "$@"'
        options = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--remote-debugging-pipe",
            f"--user-data-dir={folder}",
        ]
        self._process = subprocess.Popen(
            ["bash", "-c", script, str(CHROMIUM), *options],
            pass_fds=(from_us, to_us),
            stderr=subprocess.DEVNULL,
        )
        os.close(from_us)
        os.close(to_us)
        self._to, self._from = os.fdopen(to_it, "wb", buffering=0), os.fdopen(from_it, "rb", buffering=0)
        self._rest, self._calls, self._session = b"", 0, ""
        self.events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Log", "Network", "Runtime"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setScriptExecutionDisabled", value=not runs_scripts)

    def close(self) -> None:
        """End the browser."""
        self._process.terminate()
        self._process.wait(TIMEOUT_S)
        self._to.close()
        self._from.close()

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The result of a command."""
        self._calls += 1
        number = self._calls
        session = {"sessionId": self._session} if self._session else {}
        message = {"id": number, "method": method, "params": parameters, **session}
        self._to.write(json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != number:
            pass
        result: dict[str, Any] = answer["result"]
        return result

    def wait_for(self, what: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first event that it holds for, one that has come already or one to come."""
        deadline, seen = time.monotonic() + TIMEOUT_S, 0
        while time.monotonic() < deadline:
            for event in self.events[seen:]:
                if what(event):
                    return event
            seen = len(self.events)
            self._next()
        raise AssertionError([event["method"] for event in self.events])

    def open(self, url: str) -> None:
        """Go there, and wait until it is there."""
        self.events.clear()
        self.call("Page.navigate", url=url)
        self.wait_for(lambda event: event["method"] == "Page.loadEventFired")

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page."""
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def wait_until(self, expression: str) -> None:
        """Until a JavaScript expression holds in the page."""
        deadline = time.monotonic() + TIMEOUT_S
        while self.evaluate(expression) is not True:
            assert time.monotonic() < deadline, f"never: {expression}"
            time.sleep(0.02)

    def type_into(self, element_id: str, text: str) -> None:
        """Once it has the focus, which the page gives it a moment after it is there."""
        deadline = time.monotonic() + TIMEOUT_S
        while self.evaluate("document.activeElement.id") != element_id:
            assert time.monotonic() < deadline, f"{element_id} never gets the focus"
            time.sleep(0.02)
        self.call("Input.insertText", text=text)

    def press(self, key: str, code: int, text: str = "") -> None:
        """A key."""
        for kind in ("keyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                windowsVirtualKeyCode=code,
                text=text if kind == "keyDown" else "",
            )

    def complaints(self) -> list[str]:
        """The security messages in the browser's console."""
        entries = [event["params"]["entry"] for event in self.events if event["method"] == "Log.entryAdded"]
        return [str(entry["text"]) for entry in entries if entry.get("source") == "security"]

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._from], [], [], TIMEOUT_S)
            assert ready, [event["method"] for event in self.events]
            read = self._from.read(65536)
            assert read, "Chromium has ended"
            self._rest += read
        line, _, self._rest = self._rest.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        if "method" in message:
            self.events.append(message)
        return message
