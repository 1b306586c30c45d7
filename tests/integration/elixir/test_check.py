"""`ai-agent-server check` joins a live chat at the bridge."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from domain.identity import customer
from entrypoints.cli.operations import find_warnings, try_adapters
from entrypoints.server.container import Container
from entrypoints.settings import Settings
from tests.support.plain_phoenix import PlainPhoenix, PlainSettings
from tests.support.server import free_port, running

SECRET = "sesame"
NOBODYS = "chat:check:check"
REFUSED = PlainSettings(admits_joins=False)


async def checked(address: str, query: str = "", **settings: Any) -> tuple[str, str | None]:
    """Return the topic that was joined, and the problem."""
    given = {"store": "memory", "bridge": "elixir", "elixir_http_url": "", **settings}
    url = f"ws://{address}/socket/websocket{query}"
    results = await try_adapters(Settings(elixir_websocket_url=url, **given))
    assert SECRET not in repr(results)
    [found] = [(topic, problem) for part, topic, problem in results if part == "live chat"]
    return found


async def test_it_joins_the_topic_of_a_made_up_customer_where_there_is_no_conversation() -> None:
    application = PlainPhoenix(PlainSettings(token=SECRET))
    async with running(application.app()) as address:
        assert await checked(address, elixir_token=SECRET) == (NOBODYS, None)


async def test_it_joins_the_topic_of_the_newest_conversation(tmp_path: Path) -> None:
    store: dict[str, Any] = {"store": "sqlite", "sqlite_path": str(tmp_path / "a.db")}
    container = Container(settings=Settings(**store))
    async with container.store():
        for user in ("dan", "ana"):
            await container.post()(customer("b1", user), None, "Bună!")
    application = PlainPhoenix()
    async with running(application.app()) as address:
        assert await checked(address, **store) == ("chat:b1:ana", None)
        assert application.joins.qsize() == 1


@pytest.mark.parametrize("query", ["", f"?token=not-{SECRET}"])
async def test_a_socket_that_does_not_open_is_a_problem(query: str) -> None:
    application = PlainPhoenix(PlainSettings(token=SECRET))
    async with running(application.app()) as address:
        topic, problem = await checked(address, query)

    assert (topic, problem) == (NOBODYS, "HTTP 403 when the socket was opened")


async def test_no_server_is_a_problem() -> None:
    assert await checked(f"127.0.0.1:{free_port()}") == (
        NOBODYS,
        "no connection could be made; the log says why",
    )


async def test_a_refused_join_is_a_problem_with_its_code() -> None:
    async with running(PlainPhoenix(REFUSED).app()) as address:
        assert await checked(address) == (NOBODYS, "the join was refused: unauthorized")


async def test_what_the_model_does_not_know_of_a_business_is_a_warning(tmp_path: Path) -> None:
    given: dict[str, Any] = {"store": "sqlite", "sqlite_path": str(tmp_path / "a.db")}
    container = Container(settings=Settings(**given))
    async with container.store():
        for business in ("b1", "b2"):
            await container.post()(customer(business, "ana"), None, "Bună!")
    facts = {f"topic {number}": "x" * 1_000 for number in range(20)}
    application = PlainPhoenix(PlainSettings(business={"name": "B", "facts": facts}))
    async with running(application.app()) as address:
        elixir: dict[str, Any] = {"bridge": "elixir", "elixir_http_url": f"http://{address}"}
        settings = Settings(**given, **elixir, assistant="openai", openai_api_key=SECRET)
        small = msgspec.structs.replace(settings, view_tokens=4_000)
        scripted = msgspec.structs.replace(small, assistant="scripted")
        whole, cut, none = [await find_warnings(each) for each in (settings, small, scripted)]

    assert whole == none == []
    assert [(part, name) for part, name, _ in cut] == [("facts", "b2"), ("facts", "b1")]
    assert cut[0][2].endswith("cut: topic 15, topic 16, topic 17, topic 18, topic 19")
