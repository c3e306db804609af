"""Makes the environments: .venv for the project, .venv-home for the home server, .venv-ministack for the local cloud,
.venv-checkov for the check of the templates, .venv-fuzz for requests made from the description. Each has exactly the
versions of its lock file.

tools/start.sh runs this with a bare Python, so it uses the standard library only. It takes a few milliseconds if the
environments are up to date.

    python tools/environments.py [--home | --cloud | --checkov | --fuzz | --e2e] [--run MODULE ARGUMENT...]

`--home` makes the home server's environment alone, which is small. Otherwise the project's is made, with `--cloud` also
the local cloud's, with `--checkov` that of the check, with `--fuzz` that of the requests, and with `--e2e` those of the
tests on running servers. `--run` then runs a module in the first of them.
"""

import fcntl
import hashlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class SetupError(Exception):
    """An environment cannot be made; the message is one sentence for the user."""


def supported_versions() -> list[tuple[int, int]]:
    """The versions of Python in tools/python-versions, in order of preference."""
    lines = (ROOT / "tools" / "python-versions").read_text().splitlines()
    pairs = [line.split(".") for line in lines if not line.startswith("#")]
    return [(int(major), int(minor)) for major, minor in pairs]


@dataclass(frozen=True)
class Environment:
    """A virtual environment and the lock file it follows."""

    folder: Path
    lock: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def stamp(self) -> Path:
        """Names the lock file and the Python that the environment was made from; written last."""
        return self.folder / "strandline.stamp"

    @property
    def install_log(self) -> Path:
        return self.folder.with_name(f"{self.folder.name}-install.log")


PROJECT = Environment(ROOT / ".venv", ROOT / "requirements-dev.txt")
CLOUD = Environment(ROOT / ".venv-ministack", ROOT / "requirements-ministack.txt")
HOME = Environment(ROOT / ".venv-home", ROOT / "requirements-home.txt")
CHECKOV = Environment(ROOT / ".venv-checkov", ROOT / "requirements-checkov.txt")
FUZZ = Environment(ROOT / ".venv-fuzz", ROOT / "requirements-fuzz.txt")
SIGNS = {
    r"no space left on device|\berrno 28\b|disk quota exceeded": "the disk is full",
    r"name resolution|name or service not known|nodename nor servname|getaddrinfo failed|network is unreachable"
    r"|no route to host|newconnectionerror|connecttimeout|connection refused|readtimeout|read timed out"
    r"|connection broken by|from versions: none": "this machine is offline, or cannot reach the package index",
}
"""Messages of pip, venv and the system, and their meaning. The first sign that is found counts."""
BY_OPTION = {
    "--home": (HOME,),
    "--cloud": (PROJECT, CLOUD),
    "--checkov": (PROJECT, CHECKOV),
    "--fuzz": (PROJECT, FUZZ),
    "--e2e": (PROJECT, CLOUD, FUZZ),
}
"""The environments that an option asks for; a module runs in the first one."""


def locked_versions(lock: str) -> dict[str, str]:
    """Name (normalized) → version of each requirement in the text of a lock file, for all platforms."""
    pins = re.findall(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)", lock, flags=re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in pins}


def wanted_stamp(environment: Environment, version: tuple[int, int]) -> str:
    """The content of the stamp of an up-to-date environment."""
    digest = hashlib.sha256(environment.lock.read_bytes()).hexdigest()
    return f"{version[0]}.{version[1]} {digest}\n"


def base_python(environment: Environment) -> tuple[Path, tuple[int, int]] | None:
    """The interpreter of an existing environment, and its version; None if it cannot be used."""
    script = "import sys; print(*sys.version_info[:2], getattr(sys, '_base_executable', sys.executable))"
    try:
        answer = subprocess.run(
            [environment.python, "-c", script], capture_output=True, text=True, check=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError):
        return None
    major, minor, executable = answer.stdout.strip().split(" ", 2)
    version = (int(major), int(minor))
    return (Path(executable), version) if version in supported_versions() else None


def is_current(environment: Environment, version: tuple[int, int]) -> bool:
    """Whether the environment was made from the current lock file with this version of Python."""
    try:
        return environment.python.exists() and environment.stamp.read_text() == wanted_stamp(environment, version)
    except OSError:
        return False


def satisfies_lock(environment: Environment) -> bool:
    """Whether every package of the lock file is installed in the locked version, no matter how it was installed."""
    script = "from importlib.metadata import distributions as d; [print(x.metadata['Name'], x.version) for x in d()]"
    answer = subprocess.run([environment.python, "-c", script], capture_output=True, text=True, check=False)
    pairs = [line.rsplit(" ", 1) for line in answer.stdout.splitlines() if " " in line]
    installed = {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in pairs}
    return locked_versions(environment.lock.read_text()).items() <= installed.items()


def say(message: str) -> None:
    print(message, flush=True)


def make(environment: Environment, python: Path, version: tuple[int, int]) -> None:
    """Update the environment to its lock file, keeping packages that match.

    Raises:
        SetupError: venv or pip failed; pip's last error is in the message, its whole output in the install log.
    """
    existing = base_python(environment)
    started = time.monotonic()
    name = environment.folder.name
    environment.stamp.unlink(missing_ok=True)
    if existing is None or existing[1] != version:
        say(f"making {name} with Python {version[0]}.{version[1]} ...")
        run_logged([str(python), "-m", "venv", "--clear", str(environment.folder)], environment)
    if not satisfies_lock(environment):
        say(f"installing the packages of {environment.lock.name} into {name} (a minute or two) ...")
        pip = [str(environment.python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
        run_logged([*pip, "--require-hashes", "-r", str(environment.lock)], environment)
    environment.stamp.write_text(wanted_stamp(environment, version))
    say(f"{name} is ready ({time.monotonic() - started:.0f} s)")


def run_logged(command: Sequence[str], environment: Environment) -> None:
    """Run a command with its output in the environment's install log."""
    with environment.install_log.open("w") as log:
        code = subprocess.run(
            command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False
        ).returncode
    if code == 0:
        environment.install_log.unlink()
        return
    reason = reason_of_failure(environment.install_log.read_text(errors="replace"))
    raise SetupError(
        f"{environment.folder.name} could not be made: {reason} (all of it: {environment.install_log.name}). "
        "The next try goes on from here."
    )


def reason_of_failure(output: str) -> str:
    """The reason why pip or venv failed, from its output; a full disk and a missing network are named as such."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    for sign, reason in SIGNS.items():
        if found := [line for line in lines if re.search(sign, line, re.IGNORECASE)]:
            return f"{reason}: {found[-1]}"
    errors = [line for line in lines if line.lower().startswith("error")]
    return (errors or lines or ["no output"])[-1]


@contextmanager
def only_one() -> Iterator[None]:
    """Lock the environments, so concurrent runs of make take turns."""
    with (ROOT / ".venv.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another make that is making the environments ...")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def ensure(environments: Sequence[Environment]) -> None:
    """Make the missing environments, all with one Python, so the local cloud can run native wheels of the project."""
    this = sys.version_info[:2]
    if all(is_current(environment, this) for environment in environments):
        return
    named = Path(getattr(sys, "_base_executable", sys.executable)), this
    with only_one():
        # Keep the Python of an existing environment unless the user names another one (PYTHON=...).
        python, version = named if os.environ.get("PYTHON") else _base_of(environments) or named
        for environment in environments:
            if not is_current(environment, version):
                make(environment, python, version)


def _base_of(environments: Sequence[Environment]) -> tuple[Path, tuple[int, int]] | None:
    """The interpreter of the first environment or, if that is missing, of the project's."""
    return base_python(environments[0]) or base_python(PROJECT)


def main(arguments: list[str]) -> int:
    """Ensure the environments, then run the module after `--run`, if any, in place of this process."""
    environments = BY_OPTION.get(arguments[0] if arguments else "", (PROJECT,))
    try:
        ensure(environments)
    except SetupError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    if "--run" in arguments:
        python = str(environments[0].python)
        os.execv(python, [python, "-m", *arguments[arguments.index("--run") + 1 :]])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
