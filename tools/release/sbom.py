"""The software bill of materials of the zip, as CycloneDX 1.6 in JSON.

The components are read from the zip itself: each distribution leaves its metadata there. Chalice, which leaves none,
and the libraries that are compiled into wheels are read from the metadata that is installed here, of the same versions.
"""

import hashlib
import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import Parser
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.project import ToolError

WITHOUT_METADATA = {"chalice/": "chalice"}
"""The folders of the zip that come from a distribution without metadata there."""
SPDX = frozenset({"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0"})
"""The identifiers that distributions write into the field of their license."""
NAMED = {"Apache License 2.0": "Apache-2.0"}
UNCLEAR = {"Dual License", ""}
"""Texts of that field which say nothing; the classifiers do then."""
LICENSE_CLASSIFIER = "License :: OSI Approved :: "


@dataclass(frozen=True, slots=True)
class Library:
    """A distribution in the zip: its metadata, and the texts of its licenses by name of the file."""

    metadata: Message
    license_texts: dict[str, str]

    @property
    def name(self) -> str:
        """The normalized name."""
        return canonicalize_name(self.metadata["Name"])

    @property
    def version(self) -> str:
        """The version."""
        return str(self.metadata["Version"])

    @property
    def purl(self) -> str:
        """The package URL."""
        return f"pkg:pypi/{self.name}@{self.version}"

    @property
    def licenses(self) -> list[dict[str, Any]]:
        """The licenses as CycloneDX has them."""
        if expression := self.metadata["License-Expression"]:
            return [{"expression": expression}]
        text = str(self.metadata["License"] or "")
        name = NAMED.get(text, text)
        if name in SPDX:
            return [{"license": {"id": name}}]
        classifiers = [str(value) for value in self.metadata.get_all("Classifier") or ()]
        names = [value.removeprefix(LICENSE_CLASSIFIER) for value in classifiers if LICENSE_CLASSIFIER in value]
        if name not in UNCLEAR:
            names = [name]
        return [{"license": {"name": license_name}} for license_name in names]

    def requires(self, names: Iterable[str]) -> list[str]:
        """The names among these that this library needs here, without extras."""
        needed = [Requirement(str(text)) for text in self.metadata.get_all("Requires-Dist") or ()]
        wanted = {canonicalize_name(need.name) for need in needed if _holds(need)}
        return sorted(wanted & set(names))


def libraries_of(archive: ZipFile) -> list[Library]:
    """The libraries in a zip, by name.

    Raises:
        ToolError: one that leaves no metadata in the zip is not installed here.
    """
    names = archive.namelist()
    folders = sorted({name.partition("/")[0] for name in names if ".dist-info/METADATA" in name})
    found = [
        Library(Parser().parsestr(archive.read(f"{folder}/METADATA").decode()), dict(_texts(archive, folder)))
        for folder in folders
    ]
    for folder, name in WITHOUT_METADATA.items():
        if any(entry.startswith(folder) for entry in names):
            found.append(_installed(name))
    return sorted(found, key=lambda library: library.name)


def bill_of_materials(version: str, code: bytes, libraries: list[Library]) -> dict[str, Any]:
    """The CycloneDX document of a zip. The same zip has the same document."""
    digest = hashlib.sha256(code).hexdigest()
    application = f"pkg:generic/strandline@{version}"
    names = [library.name for library in libraries]
    compiled = {library.name: list(_compiled_in(library)) for library in libraries}
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{application}#{digest}')}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": application,
                "name": "strandline",
                "version": version,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
                "hashes": [{"alg": "SHA-256", "content": digest}],
            }
        },
        "components": [_component(library, compiled[library.name]) for library in libraries],
        "dependencies": [
            {"ref": application, "dependsOn": [library.purl for library in libraries]},
            *(
                {
                    "ref": library.purl,
                    "dependsOn": [other.purl for other in libraries if other.name in library.requires(names)],
                }
                for library in libraries
            ),
        ],
    }


def license_texts(libraries: list[Library]) -> str:
    """The texts of the licenses of all libraries, each under the name of its library and file."""
    parts = [
        f"{'=' * 80}\n{library.name} {library.version}: {name}\n{'=' * 80}\n\n{text.strip()}\n"
        for library in libraries
        for name, text in library.license_texts.items()
    ]
    return "\n".join(parts)


def _holds(need: Requirement) -> bool:
    return need.marker is None or need.marker.evaluate({"extra": ""})


def _component(library: Library, compiled: list[dict[str, Any]]) -> dict[str, Any]:
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": library.purl,
        "name": library.name,
        "version": library.version,
        "purl": library.purl,
        "licenses": library.licenses,
    }
    return component | ({"components": compiled} if compiled else {})


def _compiled_in(library: Library) -> Iterator[dict[str, Any]]:
    """The libraries that a wheel says are compiled into it, as far as the same version is installed here."""
    installed = _distribution(library.metadata["Name"])
    if installed.version != library.version:
        raise ToolError(f"the zip has {library.name} {library.version}, and {installed.version} is installed here.")
    for path in sorted(str(file) for file in installed.files or () if "/sboms/" in str(file)):
        document = json.loads(Path(str(installed.locate_file(path))).read_text(encoding="utf-8"))
        for component in document.get("components", ()):
            kept = ("type", "name", "version", "purl", "licenses", "hashes")
            named = {name: component[name] for name in kept if name in component}
            yield named | {"bom-ref": f"{library.purl}#{component['name']}@{component.get('version', '')}"}


def _installed(name: str) -> Library:
    found = _distribution(name)
    texts = {
        Path(str(path)).name: Path(str(found.locate_file(path))).read_text(encoding="utf-8")
        for path in found.files or ()
        if ".dist-info/" in str(path) and _is_license(Path(str(path)).name)
    }
    return Library(Parser().parsestr(str(found.read_text("METADATA"))), texts)


def _distribution(name: str) -> Distribution:
    try:
        return distribution(name)
    except ModuleNotFoundError as error:
        raise ToolError(f"{name} is in the zip and not installed here: run make check first.") from error


def _texts(archive: ZipFile, folder: str) -> Iterator[tuple[str, str]]:
    for entry in sorted(archive.namelist()):
        name = entry.rpartition("/")[2]
        if entry.startswith(f"{folder}/") and _is_license(name):
            yield entry.partition("/")[2], archive.read(entry).decode()


def _is_license(name: str) -> bool:
    return name.upper().startswith(("LICENSE", "LICENCE", "COPYING", "NOTICE"))
