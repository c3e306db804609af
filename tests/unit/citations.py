"""Citations of the reference pages in code and tests, and whether what they name exists.

A citation is a page of `docs/reference` with its sections: `data-api 8`, `task-api 8.3 and 9`, `access-api A2`. After a
comma it may name what stands in the section: a heading or a table row by its first words (`data-api 7, PUT`), or a
numbered row or list item (`auth-api 5, route 8`; `clients 0, fact 9`). After `Source:` there may also be a document by
its path (`docs/metrics.md, "Lost events"`), an RFC, a standard of OpenID Connect, a test file or an address.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
REFERENCE = ROOT / "docs" / "reference"
PAGES = frozenset(path.stem for path in REFERENCE.glob("*.md") if path.stem != "README")

_NUMBER = r"(?:[A-Z]?\d+(?:\.\d+)*|[A-Z]\b)"
_NUMBERS = rf"{_NUMBER}(?:(?:, | and | to ){_NUMBER})*"
_NAME = r"[a-z]+(?:-[a-z]+)?"
_SOURCE = re.compile(r"\bSource: (.*?)(?=\.?¶|\.?\"\"\"|\.(?=\s))", re.DOTALL)
_NEXT = re.compile(rf"(?:[;,]|,? and) (?=(?:{'|'.join(sorted(PAGES))})\b|RFC |OpenID |docs/|tests/|https?://)")
_CITATION = re.compile(rf"(?P<page>{_NAME})(?: (?P<sections>{_NUMBERS}))?(?:, (?P<detail>[^;]+))?")
_ELSEWHERE = re.compile(
    rf"RFC \d+(?:, {_NUMBERS})?|OpenID Connect [\w -]+ \d\.\d(?:, {_NUMBERS})?|https?://\S+|tests/\S+"
)
_DOCUMENT = re.compile(r'(?P<path>docs/[\w/-]+\.md)(?:, "(?P<heading>[^"]+)")?')
_MENTION = re.compile(
    rf"(?<![\w/.-])(?:(?:{'|'.join(sorted(PAGES))}|[a-z]+-api)(?:\.md)? (?=[A-Z]?\d){_NUMBERS}"
    r"|architecture(?:\.md)?,? (?:section \d|\d|rulings|limits))(?![\w%])"
)
_NUMBERED = re.compile(rf"(?:routes?|rows?|facts?|steps?) (?P<numbers>{_NUMBERS})")
_PARAGRAPH_ENDS = re.compile(r"\n[ \t]*(?:#[ \t]*)?(?=\n)")
_LINE_ENDS = re.compile(r"\n[ \t]*(?:# ?)?")


@dataclass(frozen=True, slots=True)
class Section:
    """The content of a section of a page and of those below it: its headings, first cells of rows, list numbers."""

    headings: list[str] = field(default_factory=list)
    first_cells: list[str] = field(default_factory=list)
    items: set[str] = field(default_factory=set)


def citations_in(text: str) -> Iterator[str]:
    """All citations of a Python file: those after `Source:`, and pages with a section that comments mention."""
    running = _LINE_ENDS.sub(" ", _PARAGRAPH_ENDS.sub("¶", text))
    for source in _SOURCE.finditer(running):
        yield from _NEXT.split(source[1].strip())
    for mention in _MENTION.finditer(running):
        yield mention[0].replace(".md", "")


def fault(citation: str) -> str | None:
    """The error of a citation; None if everything that it names exists."""
    if _ELSEWHERE.fullmatch(citation):
        return None
    if document := _DOCUMENT.fullmatch(citation):
        return _fault_of_document(document["path"], document["heading"])
    cited = _CITATION.fullmatch(citation)
    if cited is None:
        return "not a citation"
    if cited["page"] not in PAGES:
        return f"no page {cited['page']}"
    sections = sections_of(cited["page"])
    numbers = _expanded(cited["sections"] or "")
    if missing := [number for number in numbers if number not in sections]:
        return f"no section {', '.join(missing)} in {cited['page']}"
    if cited["detail"] is None:
        return None
    places = [sections[number] for number in numbers] or [sections[""]]
    return None if _names(cited["detail"], places, sections) else f"nothing is called {cited['detail']!r} there"


@cache
def sections_of(page: str) -> dict[str, Section]:
    """The numbered sections of a page by number; the whole page by an empty one."""
    text = (REFERENCE / f"{page}.md").read_text(encoding="utf-8")
    sections = {"": Section()}
    above: list[tuple[int, str]] = []
    for line in text.splitlines():
        if heading := re.fullmatch(r"(#+) (?:Part )?(?:([A-Z]?\d[\d.]*|[A-Z](?= —))\.?(?: — | ))?(.*)", line):
            level = len(heading[1])
            above = [(depth, number) for depth, number in above if depth < level]
            if heading[2]:
                number = heading[2].rstrip(".")
                sections[number] = Section()
                above.append((level, number))
            _each(above, sections, "headings", heading[3])
        elif cell := re.match(r"\|\s*([^|]*[^|\s])\s*\|", line):
            _each(above, sections, "first_cells", cell[1].replace("`", ""))
        if item := re.match(r"(\d+)\. ", line):
            _each(above, sections, "items", item[1])
    return sections


def _each(above: list[tuple[int, str]], sections: dict[str, Section], kind: str, text: str) -> None:
    for number in ["", *(number for _, number in above)]:
        found = getattr(sections[number], kind)
        found.add(text) if isinstance(found, set) else found.append(text)


def _names(detail: str, places: list[Section], sections: dict[str, Section]) -> bool:
    if numbered := _NUMBERED.fullmatch(detail):
        listed = [*places, sections["1"]] if "1" in sections else places
        known = {number for place in listed for number in [*place.first_cells, *place.items]}
        return all(number in known for number in _expanded(numbered["numbers"]))
    wanted = detail.lower()
    return any(name.lower().startswith(wanted) for place in places for name in [*place.headings, *place.first_cells])


def _expanded(numbers: str) -> list[str]:
    """The numbers of `8.3, 8.4 and 9` or `4 to 11`; of a range between parts of sections only its ends."""
    expanded: list[str] = []
    for part in re.split(r", | and ", numbers):
        first, _, last = part.partition(" to ")
        whole = first.isdigit() and last.isdigit()
        expanded += map(str, range(int(first), int(last) + 1)) if whole else filter(None, [first, last])
    return expanded


def _fault_of_document(path: str, heading: str | None) -> str | None:
    if not (ROOT / path).exists():
        return f"no document {path}"
    if heading is None or re.search(rf"^#+ {re.escape(heading)}$", (ROOT / path).read_text(), re.MULTILINE):
        return None
    return f"no heading {heading!r} in {path}"
