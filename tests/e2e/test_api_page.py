"""The HTTP API on a page: each operation of the OpenAPI document, and nothing from elsewhere."""

import re
from html import unescape

import httpx

from entrypoints.server.app import create_app
from entrypoints.settings import Settings
from tests.support.server import running


async def test_the_page_has_every_operation_with_its_fields() -> None:
    async with running(create_app(Settings(store="memory"))) as address:
        async with httpx.AsyncClient(base_url=f"http://{address}") as api:
            response = await api.get("/docs")
            described = (await api.get("/schema/openapi.json")).json()
    page = unescape(response.text)
    operations = [
        (method.upper(), path, operation)
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    ]

    assert response.headers["content-type"].startswith("text/html")
    assert len(operations) > 15
    for method, path, operation in operations:
        assert f"<b>{method}</b><code>{path}</code>" in page
        assert operation["description"].partition("\n")[0] in page
        for parameter in operation.get("parameters", ()):
            assert f"<code>{parameter['name']}</code>" in page
    # A body's field, its kind, and what it means.
    assert "<td>ai | waiting | live | closed" in page
    assert page.count("<h3>Body</h3>") == sum("requestBody" in each for *_, each in operations)
    assert re.findall(r'(?:src|href)="(?!/)[^"]*"', page) == []
    assert '{"answer": "yes", "coordinatorId": "ana"}' in page
    assert "<script" not in page
