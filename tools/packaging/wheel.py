"""The build hook of the wheel: adds Chalice's runtime to the platform inside, as Chalice adds it to the zip.

Hatchling loads this file by itself, so it imports nothing of `tools`. Chalice is a requirement of the build
(`pyproject.toml`), not of the wheel: it would bring botocore, pip and a command line along.
"""

from importlib.metadata import distribution
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

RUNTIME = ("__init__.py", "app.py")
"""The modules that an application imports. They import nothing else of Chalice."""
LICENSES = ("LICENSE", "NOTICE")
PLATFORM = "strandline/_platform"


class ChaliceRuntime(BuildHookInterface[Any]):
    """Puts Chalice's runtime and its license beside the platform."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the files of the installed Chalice to those of the wheel.

        Raises:
            RuntimeError: Chalice, as it is installed, lacks one of them.
        """
        del version  # "standard" or "editable"
        found = {str(file): file.locate() for file in distribution("chalice").files or ()}
        wanted = {f"chalice/{name}": name for name in RUNTIME}
        wanted |= {path: name for name in LICENSES for path in found if path.endswith(f".dist-info/licenses/{name}")}
        if missing := {*RUNTIME, *LICENSES} - set(wanted.values()):
            raise RuntimeError(f"Chalice, as it is installed, has no {', '.join(sorted(missing))}")
        for path, name in wanted.items():
            build_data["force_include"][str(found[path])] = f"{PLATFORM}/chalice/{name}"
