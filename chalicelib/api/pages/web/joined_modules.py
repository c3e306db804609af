"""The modules of the page as one script.

A browser asks for all modules at once, and a stage on AWS that was idle would start a function for each of them. In
the script each module is a function that returns what it exports, and an import takes from what was returned.
"""

import posixpath
import re
from collections.abc import Mapping

_COMMENT = re.compile(r"^[ \t]*(?://.*|/\*\*(?:[^*]|\*(?!/))*\*/)\n", re.MULTILINE)
_IMPORT = re.compile(r'^import (\{(?:(?! as )[^}])*\}) from "(\.{1,2}/[\w./]+)";$', re.MULTILINE)
_LATE_IMPORT = re.compile(r'\bimport\("(\.{1,2}/[\w./]+)"\)')
_EXPORT = re.compile(r"^export (?=(?:async )?function (\w+)|const (\w+)|class (\w+))", re.MULTILINE)
_LEFT = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


def joined(modules: Mapping[str, str], entry: str) -> str:
    """The script that does what the module `entry` does, without comments that are lines of their own.

    Args:
        modules: the source of each by its path below a folder. They import by `import { a, b } from "./name.js";`, or
            late by `import("./name.js")`, and export functions, constants and classes where these are declared.

    Raises:
        ValueError: a module imports or exports in another form, or in a circle.
    """
    bare = {name: _COMMENT.sub("", source) for name, source in modules.items()}
    *others, last = _in_order(bare, entry)
    parts = ["const modules = {};", *(_as_function(name, bare[name]) for name in others)]
    return "\n".join([*parts, f"{{\n{_linked(last, bare[last])[0]}}}\n"])


def _in_order(modules: Mapping[str, str], entry: str) -> list[str]:
    """The names of the modules that a module needs, each once and after what it needs itself, and its own."""
    ordered: list[str] = []

    def add(name: str, above: tuple[str, ...]) -> None:
        if name in above:
            raise ValueError(f"modules import in a circle: {' '.join((*above, name))}")
        if name in ordered:
            return
        source = modules[name]
        for path in (*(path for _, path in _IMPORT.findall(source)), *_LATE_IMPORT.findall(source)):
            add(_resolved(path, name), (*above, name))
        ordered.append(name)

    add(entry, ())
    return ordered


def _resolved(path: str, name: str) -> str:
    """The name of the module that a path in another one leads to."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), path))


def _as_function(name: str, source: str) -> str:
    linked, exported = _linked(name, source)
    return f'modules["{name}"] = (() => {{\n{linked}return {{ {", ".join(exported)} }};\n}})();'


def _linked(name: str, source: str) -> tuple[str, list[str]]:
    """The source without its imports and exports, and the names of the exports."""
    exported = [function or constant or class_ for function, constant, class_ in _EXPORT.findall(source)]
    linked = _EXPORT.sub("", source)
    linked = _IMPORT.sub(lambda found: f'const {found[1]} = modules["{_resolved(found[2], name)}"];', linked)
    linked = _LATE_IMPORT.sub(lambda found: f'Promise.resolve(modules["{_resolved(found[1], name)}"])', linked)
    if left := _LEFT.search(linked):
        raise ValueError(f"{name} has a form that cannot be joined: {left[0]}")
    return linked, exported
