"""Documents as CSV and XML, for the clients of v3 that ask for them. Source: nightscout-api 9."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element, indent, tostring

from chalicelib import json_text

MEDIA_TYPES: Mapping[str, str] = {"json": "application/json", "csv": "text/csv", "xml": "application/xml"}
"""The formats with their media types; what a client accepts alike, it gets in the first one."""
_DECLARATION = "<?xml version='1.0' encoding='utf-8'?>\n"
_ATTRIBUTE_PREFIX = "_"
_NOT_IN_XML = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF])

Body = Mapping[str, Any]


def as_csv(result: Body | Sequence[Body]) -> bytes:
    """The documents as rows below the names of the first one's members, or nothing. Arrays and objects are JSON."""
    bodies = [result] if isinstance(result, Mapping) else result
    if not bodies:
        return b""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    names = list(bodies[0])
    rows.writerow(names)
    rows.writerows([[_cell(body.get(name)) for name in names] for body in bodies])
    return text.getvalue().encode()


def as_xml(result: Body | Sequence[Body]) -> bytes:
    """The document as an element `item`, or the documents as such elements of `items`. A member whose name begins with
    an underscore is an attribute."""
    if isinstance(result, Mapping):
        root = _element("item", result)
    else:
        root = Element("items")
        root.extend([_element("item", body) for body in result])
    indent(root)
    return f"{_DECLARATION}{tostring(root, encoding='unicode')}\n".encode()


def _cell(value: Any) -> str:
    if value is None or value is False:
        return ""
    if value is True:
        return "1"
    return value if isinstance(value, str) else json_text.encode(value).decode()


def _element(name: str, value: Any) -> Element:
    element = Element(name)
    if isinstance(value, Mapping):
        for member, inner in value.items():
            if member.startswith(_ATTRIBUTE_PREFIX) and isinstance(inner, str | int | float):
                element.set(_name(member[1:]), _text(inner))
            else:
                element.append(_element(_name(member), inner))
    elif isinstance(value, list):
        for inner in value:
            element.append(_element(name, inner))
    elif value is not None:
        element.text = _text(value)
    return element


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json_text.encode(value).decode()
    return text.translate(_NOT_IN_XML)


def _name(member: str) -> str:
    """A member's name as one of XML."""
    name = "".join(sign if sign.isalnum() or sign in "_-." else "_" for sign in member)
    return name if name[:1].isalpha() or name.startswith("_") else f"_{name}"
