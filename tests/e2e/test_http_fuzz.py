"""Every route of the server and of the bridge, against requests made up from its description."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as effort
from hypothesis import strategies as st
from litestar import Litestar
from litestar.routes import HTTPRoute
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import positive_data_acceptance

from adapters.bridge.sqlite_store import SqliteBridgeStore
from domain.tool import Confirmer
from entrypoints.bridge.app import create_bridge
from entrypoints.settings import Settings
from tests.support.businesses import EXAMPLES
from tests.support.questions import asking, question_to
from tests.support.server import running
from tests.support.user import user

TOKEN = "old-secret-of-the-fuzz"
KNOWN = {"businessId": "b1", "userId": "u1"}
NEEDED: Mapping[str, dict[str, Any]] = {
    "POST /api/notifications": {
        **{"type": "transfer", "reason": "user_request"},
        **{"transferId": "t1", "context": {}},
    }
}
"""Operation → fields that its description leaves optional, as they need each other."""
Statuses = Mapping[str, set[int]]
"""Operation, such as `GET /api/conversations` → the statuses of its responses."""


def settings(service_token: str) -> Settings:
    return Settings(
        store="memory",
        scripted_delay_ms=0,
        turn_quiet_ms=0,
        service_token=service_token,
        rate_limits="off",
        businesses=str(EXAMPLES),
    )


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


Known = dict[str, str]
"""Parameter → a value that is there."""


@asynccontextmanager
async def a_server(service_token: str) -> AsyncIterator[tuple[str, Litestar, Known]]:
    """Run a server; yield its address, its application, and a session with a question for a yes."""
    async with asking(Confirmer.COORDINATOR, service_token=service_token, rate_limits="off") as (
        address,
        _,
        app,
    ):
        async with user(address) as one:
            await one.join()
            question, answer = await question_to(one)
        confirm_id, session_id = question["confirmId"], answer["sessionId"]
        yield address, app, {**KNOWN, "sessionId": session_id, "confirmId": confirm_id}


@asynccontextmanager
async def a_bridge(service_token: str) -> AsyncIterator[tuple[str, Litestar, Known]]:
    """The same, where a user waits for a human."""
    app = create_bridge(settings(service_token), SqliteBridgeStore())
    waiting = {**KNOWN, "transferId": "t1", "sessionId": "s1", "reason": "x", "context": {}}
    async with (
        running(app) as address,
        httpx.AsyncClient(base_url=f"http://{address}", headers=bearer(service_token)) as http,
    ):
        (await http.post("/api/notifications", json=waiting)).raise_for_status()
        yield address, app, {**KNOWN, "sessionId": "s1"}


PROGRAMS = pytest.mark.parametrize("program", [a_server, a_bridge], ids=["server", "bridge"])
Program = Callable[[str], Any]


@PROGRAMS
@pytest.mark.parametrize("service_token", ["", TOKEN], ids=["open", "guarded"])
async def test_no_request_breaks_what_the_description_says(
    program: Program, service_token: str
) -> None:
    async with program(service_token) as (address, app, known):
        tried = await asyncio.to_thread(try_all, address, known, bearer(service_token))

    assert tried.keys() == operations(app)
    assert not any(401 in statuses for statuses in tried.values())
    # 409: what was asked for is refused by the conversation, and not by its form.
    assert all(statuses & {200, 201, 409} for statuses in tried.values())


@PROGRAMS
@pytest.mark.parametrize("sent", ["", f"{TOKEN}x"], ids=["no token", "a wrong one"])
async def test_no_request_passes_the_guard_without_a_token(program: Program, sent: str) -> None:
    async with program(TOKEN) as (address, _, known):
        tried = await asyncio.to_thread(try_all, address, known, bearer(sent), examples=5)

    guarded = {label: statuses for label, statuses in tried.items() if " /api/" in label}
    assert all(statuses == {401} for statuses in guarded.values())
    assert guarded.keys() < tried.keys()


def try_all(
    address: str, known: Mapping[str, str], headers: Mapping[str, str], examples: int = 20
) -> Statuses:
    """Send every operation what its description allows, in part to what is known to be there."""
    tried: dict[str, set[int]] = {}
    description = schemathesis.openapi.from_url(f"http://{address}/schema/openapi.json")
    for result in description.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        tried[operation.label] = set()

        @given(case=operation.as_strategy(), to_known=st.booleans())
        @effort(
            max_examples=examples,
            phases=[Phase.generate],
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        def one_case(case: schemathesis.Case[Any], to_known: bool) -> None:
            if to_known:
                for parameters in (case.path_parameters, case.body):
                    if isinstance(parameters, dict):
                        parameters.update({key: known[key] for key in known.keys() & parameters})
                if isinstance(case.body, dict):
                    case.body.update(NEEDED.get(case.operation.label, {}))
            # JSON Schema does not say which parameters need each other, nor what a cursor is.
            answer = case.call_and_validate(
                headers=dict(headers), excluded_checks=[positive_data_acceptance]
            )
            tried[case.operation.label].add(answer.status_code)

        one_case()
    return tried


def operations(app: Litestar) -> set[str]:
    """Return the operations of an application, without its pages and its schema."""
    return {
        f"{method} {route.path_format}"
        for route in app.routes
        if isinstance(route, HTTPRoute) and not route.path.startswith("/schema")
        for handler in route.route_handlers
        if handler.include_in_schema is not False
        for method in handler.http_methods
        if method != "OPTIONS"
    }
