"""The published description as a page to read: one document without scripts, which needs no other host."""

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from html import escape
from typing import Any

from chalicelib.api.openapi.document import document

Json = Mapping[str, Any]

_STYLE = """
:root{color-scheme:light dark;--page:#fff;--text:#1c2430;--quiet:#566273;--line:#c6cdd6;--act:#2a5db0;--mark:#f2f4f7}
@media (prefers-color-scheme:dark){:root{--page:#12161c;--text:#edf0f4;--quiet:#a9b4c2;--line:#3a4452;--act:#8db4f5;
--mark:#1d232c}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:64rem;padding:1rem;background:var(--page);color:var(--text);
font:1rem/1.5 system-ui,sans-serif;overflow-wrap:break-word}
a{color:var(--act)}
h2{margin-top:2.5rem;border-bottom:1px solid var(--line)}
nav ul{columns:14rem;padding-left:1.25rem}
details{margin:.5rem 0;border:1px solid var(--line);border-radius:.5rem}
summary{padding:.5rem .75rem;cursor:pointer}
summary:focus-visible,a:focus-visible{outline:3px solid var(--act);outline-offset:2px}
details>div{padding:0 .75rem .75rem;overflow-x:auto}
code{background:var(--mark);padding:.1em .3em;border-radius:.25rem;font-size:.9em}
b code{color:var(--act)}
table{border-collapse:collapse;width:100%;margin:.5rem 0}
caption{text-align:left;font-weight:600;padding:.5rem 0}
th,td{text-align:left;vertical-align:top;padding:.35rem .75rem .35rem 0;border-top:1px solid var(--line)}
small{color:var(--quiet)}
"""
_STYLE_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

PAGE_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_DIGEST}'; form-action 'none'; frame-ancestors 'none'; "
        "base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_SCHEMA_PATH = "#/components/schemas/"


@cache
def page_bytes() -> bytes:
    """The page as it is sent."""
    described = document()
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API reference | Strandline</title>
<style>{_STYLE}</style>
</head>
<body>
<header>
<h1>Strandline API reference</h1>
{"".join(f"<p>{_prose(part)}</p>" for part in described["info"]["description"].split(chr(10) * 2))}
<p>The same for programs: <a href="openapi.json">openapi.json</a> (OpenAPI {described["openapi"]}).</p>
</header>
{_contents(described)}
<main>
{"".join(_operations_of(tag, described) for tag in described["tags"])}
{_credentials(described["components"]["securitySchemes"])}
{_schemas(described["components"]["schemas"])}
</main>
</body>
</html>
""".encode()


def _contents(described: Json) -> str:
    titles = [*(tag["name"] for tag in described["tags"]), "Credentials", "Data model and bodies"]
    links = "".join(f'<li><a href="#{_anchor(title)}">{escape(title)}</a></li>' for title in titles)
    return f'<nav aria-label="Contents"><ul>{links}</ul></nav>'


def _section(title: str, body: str) -> str:
    return f'<section id="{_anchor(title)}">\n<h2>{escape(title)}</h2>\n{body}</section>\n'


def _operations_of(tag: Json, described: Json) -> str:
    operations = "".join(
        _operation(method, path, operation, described["components"])
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
        if tag["name"] in operation["tags"]
    )
    return _section(tag["name"], f"<p>{_prose(tag['description'])}</p>\n{operations}")


def _operation(method: str, path: str, operation: Json, components: Json) -> str:
    parts = [f"<p>{_prose(operation['description'])}</p>"] if "description" in operation else []
    if len(operation.get("servers", ())) > 1:
        parts.append(f"<p>Also under <code>{escape(operation['servers'][1]['url'] + path)}</code>.</p>")
    ways = [" and ".join(way) or "none" for way in operation["security"]]
    parts.append(f'<p>Credentials: <a href="#credentials">{escape(", or ".join(ways) or "none")}</a></p>')
    if rows := [_parameter_row(parameter) for parameter in operation.get("parameters", ())]:
        parts.append(_table("Parameters", ("Name", "In", "Value", "Meaning"), rows))
    if body := operation.get("requestBody"):
        parts.append(_body("Body" if body["required"] else "Body (may be left out)", body))
    rows = [_reply_row(status, reply, components) for status, reply in operation["responses"].items()]
    parts.append(_table("Answers", ("Status", "Meaning", "Body"), rows))
    parts += [
        _members_table(f"Members of the answer {status}", content["schema"])
        for status, reply in operation["responses"].items()
        for content in reply.get("content", {}).values()
    ]
    return (
        f'<details id="{_anchor(operation["operationId"])}"><summary><b><code>{method.upper()}</code></b> '
        f"<code>{escape(path)}</code> {_prose(operation['summary'])}</summary><div>{''.join(parts)}</div></details>\n"
    )


def _parameter_row(parameter: Json) -> tuple[str, ...]:
    needed = " <small>required</small>" if parameter.get("required") and parameter["in"] != "path" else ""
    about = parameter.get("description") or parameter["schema"].get("description", "")
    return (
        f"<code>{escape(parameter['name'])}</code>{needed}",
        parameter["in"],
        _kind(parameter["schema"]),
        _prose(about),
    )


def _body(title: str, body: Json) -> str:
    ((media_type, content),) = body["content"].items()
    about = f" {_prose(body['description'])}" if "description" in body else ""
    members = _members_table("Members of the body", content["schema"])
    return f"<p>{title}, <code>{escape(media_type)}</code>: {_kind(content['schema'])}.{about}</p>{members}"


def _reply_row(status: str, reply: Json, components: Json) -> tuple[str, ...]:
    if "$ref" in reply:
        reply = components["responses"][reply["$ref"].rpartition("/")[2]]
    headers = "".join(
        f"<br><small><code>{escape(name)}</code> {_prose(header['description'])}</small>"
        for name, header in reply.get("headers", {}).items()
    )
    bodies = [
        _kind(content["schema"]) + ("" if media_type.endswith("json") else f" <small>{escape(media_type)}</small>")
        for media_type, content in reply.get("content", {}).items()
    ]
    return status, _prose(reply["description"]) + headers, ", ".join(bodies)


def _credentials(schemes: Json) -> str:
    rows = [
        (
            f"<code>{escape(name)}</code>",
            f"<code>{escape(scheme.get('name') or 'Authorization')}</code>",
            _prose(scheme["description"]),
        )
        for name, scheme in schemes.items()
    ]
    return _section("Credentials", _table("What tells who calls", ("Name", "Header or parameter", "Meaning"), rows))


def _schemas(schemas: Json) -> str:
    parts = []
    for name, schema in schemas.items():
        about = f"<p>{_prose(schema['description'])}</p>" if "description" in schema else ""
        variants = schema.get("oneOf", ())
        if variants and all("properties" in variant for variant in variants):
            tables = "".join(_members_table(_variant_title(variant), variant) for variant in variants)
        else:
            tables = _members_table("Members", schema) or f"<p>{_kind(schema)}</p>"
        parts.append(
            f'<details id="{_anchor(name)}"><summary><code>{escape(name)}</code></summary>'
            f"<div>{about}{tables}</div></details>\n"
        )
    return _section("Data model and bodies", "".join(parts))


def _variant_title(schema: Json) -> str:
    constants = {name: member["const"] for name, member in schema["properties"].items() if "const" in member}
    return ", ".join(f"{name} {value}" for name, value in constants.items()) or "Members"


def _members_table(title: str, schema: Json) -> str:
    rows = list(_member_rows(schema, ""))
    return _table(title, ("Member", "Value", "Meaning"), rows) if rows else ""


def _member_rows(schema: Json, prefix: str) -> Iterator[tuple[str, ...]]:
    """The members of an object, and below each those of what it holds, with dots and brackets before their names."""
    required = schema.get("required", ())
    for name, member in schema.get("properties", {}).items():
        needed = " <small>required</small>" if name in required else ""
        about = _prose(member.get("description", ""))
        yield f"<code>{escape(prefix + name)}</code>{needed}", _kind(member), about
        yield from _inner_rows(member, prefix + name)


def _inner_rows(schema: Json, name: str) -> Iterator[tuple[str, ...]]:
    yield from _member_rows(schema, f"{name}.")
    if isinstance(items := schema.get("items"), Mapping):
        yield from _inner_rows(items, f"{name}[]")
    if isinstance(values := schema.get("additionalProperties"), Mapping):
        yield from _inner_rows(values, f"{name}.*")
    for way in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from _inner_rows(way, name)


def _kind(schema: Json) -> str:
    """What a value looks like, in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(_SCHEMA_PATH)
        return f'<a href="#{_anchor(name)}">{escape(name)}</a>'
    if "const" in schema:
        return _word(schema["const"])
    if "enum" in schema:
        return " or ".join(_word(value) for value in schema["enum"] if value is not None)
    ways = schema.get("anyOf") or schema.get("oneOf")
    if ways and "type" not in schema:
        return " or ".join(dict.fromkeys(_kind(way) for way in ways if way != {"type": "null"}))
    types = schema.get("type", "any JSON")
    kind = next(each for each in types if each != "null") if isinstance(types, list) else types
    if kind == "array":
        return f"array of {_kind(schema.get('items', {}))}{_limits(schema)}"
    if kind == "object":
        return "object"
    return f"{escape(kind)}{_limits(schema)}"


_LIMITS = {
    "minimum": "at least",
    "maximum": "at most",
    "minLength": "characters at least",
    "maxLength": "characters at most",
    "minItems": "items at least",
    "maxItems": "items at most",
    "format": "format",
    "pattern": "pattern",
    "default": "by default",
}


def _limits(schema: Json) -> str:
    told = [f"{words} {_word(schema[keyword])}" for keyword, words in _LIMITS.items() if keyword in schema]
    return f" <small>{', '.join(told)}</small>" if told else ""


def _word(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"<code>{escape(text)}</code>"


def _table(title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    head = "".join(f'<th scope="col">{column}</th>' for column in columns)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>\n" for row in rows)
    return f"<table><caption>{escape(title)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _prose(text: str) -> str:
    """Text in which what stands between backticks is code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if index % 2 else part for index, part in enumerate(parts))


def _anchor(name: str) -> str:
    return escape(name.lower().replace(" ", "-"))
