"""Additions to the interface that the bridge announces with the facts of a business."""

from typing import Any

import pytest

from adapters.elixir.additions import MAX_BUSINESSES, Additions
from adapters.elixir.businesses import ElixirBusinesses
from adapters.elixir.http import ElixirHttp
from adapters.system import SystemClock
from domain.identity import BusinessId
from tests.integration.elixir.test_availability import Listener
from tests.integration.elixir.test_socket import ANA, notice, taken
from tests.support.plain_phoenix import TRATTORIA, PlainPhoenix, PlainSettings
from tests.support.server import running

B1 = BusinessId("b1")


@pytest.mark.parametrize(
    ("found", "is_announced"),
    [
        ({"name": "B", "additions": ["queue", "typing"]}, True),
        ({"data": {"name": "B", "additions": ["typing"]}}, True),
        ({"data": {"name": "B"}, "additions": ["typing"]}, True),
        ({"name": "B"}, False),
        ({"name": "B", "additions": "typing"}, False),
        ({"name": "B", "additions": [{"typing": True}, 1, None]}, False),
        (["typing"], False),
        (None, False),
    ],
)
def test_an_addition_is_announced_in_a_list_at_the_top_or_in_data(
    found: Any, is_announced: bool
) -> None:
    additions = Additions()
    additions.announce(B1, found)

    assert additions.include(B1, "typing") is is_announced
    assert not additions.include(BusinessId("b2"), "typing")


def test_what_is_no_longer_announced_is_forgotten() -> None:
    additions = Additions()
    additions.announce(B1, {"additions": ["typing"]})
    additions.announce(B1, {"name": "B"})

    assert not additions.include(B1, "typing")


def test_only_so_many_businesses_are_remembered() -> None:
    additions = Additions()
    for number in range(MAX_BUSINESSES + 1):
        additions.announce(BusinessId(f"b{number}"), {"additions": ["typing"]})

    assert not additions.include(BusinessId("b0"), "typing")
    assert additions.include(B1, "typing")


async def test_typing_is_sent_once_it_is_announced_with_the_business() -> None:
    announcing = {**TRATTORIA, "additions": ["typing"]}
    application = PlainPhoenix(PlainSettings(replies=True, business=announcing))
    additions = Additions()
    async with running(application.app()) as address:
        http = ElixirHttp(f"http://{address}", clock=SystemClock(), jitter=lambda: 1.0)
        listener = Listener(f"ws://{address}/socket/websocket", additions=additions)
        async with http, listener.socket as socket:
            socket.follow(ANA)
            await listener.next()
            socket.show_typing(ANA)
            await socket.relay(notice())
            business = await ElixirBusinesses(http, SystemClock(), additions).business(B1)
            socket.show_typing(ANA)

            assert (await taken(application.events)).what == "user_message"
            assert (await taken(application.events)).what == "typing"
            assert business is not None
            assert "additions" not in business.facts
