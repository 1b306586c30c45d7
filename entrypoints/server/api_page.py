"""The HTTP API on a page, `/docs`: what OpenAPI describes at `/schema`, for people.

It is made of HTML alone, so that it loads no script from a foreign host.
"""

import json
from collections.abc import Iterator
from functools import cache
from html import escape
from typing import Any

from litestar import Litestar, Response, route
from litestar.handlers import HTTPRouteHandler

from entrypoints.web_files import (
    WebFile,
    WebRequest,
    content_policy,
    own_headers,
    page_template,
    web_file,
)

Schema = dict[str, Any]


def api_page_route() -> HTTPRouteHandler:
    """Return the route of `/docs`."""
    headers = {**own_headers(content_policy()), "Vary": "Accept-Encoding"}

    @route("/docs", http_method=["GET", "HEAD"], include_in_schema=False, sync_to_thread=False)
    def docs(request: WebRequest) -> Response[bytes | None]:
        return _page(request.app).response(request, headers)

    return docs


@cache
def _page(app: Litestar) -> WebFile:
    described = app.openapi_schema.to_schema()
    page = page_template("page", "api.html").substitute(
        title=escape(described["info"]["title"]), operations="".join(_operations(described))
    )
    return web_file(page.encode(), ".html")


def _operations(described: Schema) -> Iterator[str]:
    schemas = described["components"]["schemas"]
    for tag in described["tags"]:
        yield f"<h2>{escape(tag['description'].rstrip('.'))}</h2>"
        for path, methods in described["paths"].items():
            for method, operation in methods.items():
                if tag["name"] in operation["tags"]:
                    yield _operation(method, path, operation, schemas)


def _operation(method: str, path: str, operation: Schema, schemas: Schema) -> str:
    parts = [
        _table("Parameters", [_row(each["name"], each["schema"], each, schemas, each["required"])
                              for each in operation.get("parameters", ())]),
        _table("Body", _fields(operation.get("requestBody", {}), schemas)),
        *_examples(operation.get("requestBody", {})),
    ]  # fmt: skip
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            parts.append(_table(f"Response {status}", _fields(response, schemas)))
    problems = [status for status in operation["responses"] if not status.startswith("2")]
    if problems:
        parts.append(f"<h3>Problems</h3><p>{', '.join(problems)}</p>")
    description = escape(operation.get("description", ""))
    return (
        f'<details id="{escape(operation["operationId"])}"><summary><b>{method.upper()}</b>'
        f"<code>{escape(path)}</code><span>{description.partition(chr(10))[0]}</span></summary>"
        f"<section>{''.join(parts)}</section></details>"
    )


def _table(title: str, rows: list[str]) -> str:
    return f"<h3>{title}</h3><table>{''.join(rows)}</table>" if rows else ""


def _fields(content: Schema, schemas: Schema) -> list[str]:
    """Return the rows of the fields of a body; none if it has no object in JSON."""
    schema = content.get("content", {}).get("application/json", {}).get("schema", {})
    schema = _resolved(schema, schemas)
    required = schema.get("required", ())
    return [
        _row(name, field, field, schemas, name in required)
        for name, field in schema.get("properties", {}).items()
    ]


def _examples(content: Schema) -> Iterator[str]:
    schema = content.get("content", {}).get("application/json", {}).get("schema", {})
    for example in schema.get("examples", ()):
        written = json.dumps(example, ensure_ascii=False)
        yield f"<p><code>{escape(written)}</code></p>"


def _row(name: str, schema: Schema, told: Schema, schemas: Schema, required: bool) -> str:
    text = told.get("description") or _resolved(schema, schemas).get("description") or ""
    kind = _kind(schema, schemas) + ("" if required else ", optional")
    return (
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(kind)}</td>"
        f"<td>{escape(text)}</td></tr>"
    )


def _kind(schema: Schema, schemas: Schema) -> str:
    """Return the type of a value in words: `string`, `a | b`, `array of Message`."""
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "const" in schema:
        return str(schema["const"])
    for choice in ("oneOf", "anyOf"):
        if choice in schema:
            return " | ".join(_kind(each, schemas) for each in schema[choice])
    if "$ref" in schema:
        resolved = _resolved(schema, schemas)
        return _kind(resolved, schemas) if "properties" not in resolved else _name(schema)
    if schema.get("type") == "array":
        return f"array of {_kind(schema.get('items', {}), schemas)}"
    kind = schema.get("type", "any")
    return " | ".join(kind) if isinstance(kind, list) else str(kind)


def _name(schema: Schema) -> str:
    return str(schema["$ref"]).rpartition("/")[2]


def _resolved(schema: Schema, schemas: Schema) -> Schema:
    """Return what a reference means; one with examples stands alone in an `allOf`."""
    (referring,) = schema.get("allOf", (schema,))
    return schemas[_name(referring)] if "$ref" in referring else schema
