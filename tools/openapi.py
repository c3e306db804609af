"""Writes the published API description to docs/openapi.json, or with `--check` checks that the file is current.

Each path and each schema is on its own line, so a change of one is a change of one line.
"""

import json
import sys
from collections.abc import Mapping
from typing import Any

from chalicelib.api.openapi.document import document
from tools.project import ROOT

FILE = ROOT / "docs" / "openapi.json"


def description_text() -> str:
    """The text of the file."""
    described = document()
    components = {name: _lines(members, 2) for name, members in described["components"].items()}
    parts = {name: _text(value) for name, value in described.items()}
    parts |= {"paths": _lines(described["paths"], 1), "components": _joined(components, 1)}
    return _joined(parts, 0) + "\n"


def _lines(members: Mapping[str, Any], depth: int) -> str:
    return _joined({name: _text(value) for name, value in members.items()}, depth)


def _joined(texts: Mapping[str, str], depth: int) -> str:
    indent = " " * depth
    return "{\n" + ",\n".join(f"{indent} {_text(name)}: {text}" for name, text in texts.items()) + f"\n{indent}}}"


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def main(arguments: list[str]) -> int:
    """Exit code 0 if the file is current or was updated."""
    text = description_text()
    if arguments == ["--check"]:
        if FILE.is_file() and FILE.read_text(encoding="utf-8") == text:
            return 0
        print("error: docs/openapi.json is not current: run make openapi", file=sys.stderr)
        return 1
    FILE.write_text(text, encoding="utf-8")
    print(f"{FILE.relative_to(ROOT)}: {len(document()['paths'])} paths")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
