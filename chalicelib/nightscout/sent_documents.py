"""Documents in the body of a request: an object or an array of objects, without what does not belong into them.

Source: nightscout-api 2, 5 and 16.
"""

import re
from typing import Any

from chalicelib.errors import InvalidRequestError
from chalicelib.model.free_form import is_too_deep
from chalicelib.nightscout.document import is_object_id

MAX_DOCUMENTS = 5_000
"""Documents of one request: more than any app sends at once."""
_CREDENTIALS = ("token", "secret")
_SCRIPT = re.compile(r"<script\b", re.IGNORECASE)
_END_OF_SCRIPT = re.compile(r"</script\s*>", re.IGNORECASE)


def sent_documents(sent: Any) -> list[dict[str, Any]]:
    """The documents of a body; none for null, an empty object and an empty array. Credentials are taken out, and so are
    script elements in texts, which a web page might run.

    Raises:
        InvalidRequestError: the body is neither an object nor an array of objects, has too many documents, or one is
            nested too deeply.
    """
    documents = [sent] if isinstance(sent, dict) else [] if sent is None else sent
    if not isinstance(documents, list):
        raise InvalidRequestError("the body has to be an object or an array of objects")
    if len(documents) > MAX_DOCUMENTS:
        raise InvalidRequestError(f"a request may have at most {MAX_DOCUMENTS} documents")
    for index, document in enumerate(documents):
        if not isinstance(document, dict):
            raise InvalidRequestError(f"[{index}] has to be an object")
        if is_too_deep(document):
            raise InvalidRequestError(f"[{index}] is nested too deeply")
    return [_without_scripts(_with_id(_without_credentials(document))) for document in documents if document]


def _with_id(document: dict[str, Any]) -> dict[str, Any]:
    """The document with its `_id` in lower case if it is hexadecimal."""
    document_id = document.get("_id")
    if not isinstance(document_id, str) or not is_object_id(document_id.lower()):
        return document
    return document | {"_id": document_id.lower()}


def _without_credentials(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in _CREDENTIALS}


def _without_scripts(value: Any) -> Any:
    if isinstance(value, str):
        return _without_script_elements(value) if "<" in value else value
    if isinstance(value, list):
        return [_without_scripts(element) for element in value]
    if isinstance(value, dict):
        return {name: _without_scripts(member) for name, member in value.items()}
    return value


def _without_script_elements(text: str) -> str:
    """The text without its script elements; one that does not end takes the rest of the text.

    The time grows with the length alone. One expression for whole elements would search the rest again at each
    `<script`.
    """
    kept, place = [], 0
    while (begin := _SCRIPT.search(text, place)) and (opened := text.find(">", begin.end())) >= 0:
        kept.append(text[place : begin.start()])
        end = _END_OF_SCRIPT.search(text, opened + 1)
        place = len(text) if end is None else end.end()
    return "".join((*kept, text[place:]))
