"""What a client and an operator are shown of a log with entries that are not for everybody."""

from typing import Any

from domain.identity import MessageId, customer
from domain.message import Audience, Author
from domain.session import Draft, Session
from entrypoints.server.container import Container
from entrypoints.settings import Settings
from tests.support.drafts import append_message
from tests.support.wire import identity, message, product, socket

TOPIC = "messages:b1"
ASIDES = (Audience.COORDINATOR, Audience.MODEL, Audience.CUSTOMER_AND_COORDINATOR, Audience.MODEL)


async def store_asides(container: Container) -> None:
    """Store an entry for each of the audiences, as a feature that has them will."""

    def decide(session: Session | None) -> Draft:
        assert session is not None
        draft = Draft(session)
        for audience in ASIDES:
            message_id, at = MessageId(f"aside-{draft.next_seq}"), session.updated_at
            append_message(draft, Author.COORDINATOR, message_id, "?", at, audience=audience)
        return draft

    await container.session_log().commit(customer("b1", "u1"), decide)


def places(entries: list[dict[str, Any]]) -> list[tuple[int, int]]:
    """Return `seq` and `prevSeq` of each."""
    return [(entry["seq"], entry["prevSeq"]) for entry in entries]


async def test_a_client_follows_by_prev_seq_and_an_operator_is_shown_every_audience() -> None:
    settings = Settings(store="memory", turn_quiet_ms=60_000)
    container = Container(settings=settings)
    async with product(container=container, turn_quiet_ms=60_000) as server:
        async with socket(server.address) as client:
            await client.join()
            _, said = await client.call("new_message", message("Bună!"))
            await store_asides(container)
            _, joined = await client.call("phx_join", identity())
            await server.speak(said["sessionId"], "Aici Ana.")
            _, page = await client.call("history", {"afterSeq": 2})
            _, typed = await client.call("typing", {})
        pushed = [frame[4] for frame in client.pushes if "prevSeq" in frame[4]]
        log = (await server.api.get(f"/api/conversations/{said['sessionId']}/messages")).json()

    assert (joined["seq"], places(joined["messages"])) == (4, [(1, 0), (4, 1)])
    assert places(pushed) == [(4, 1), (6, 4), (7, 6), (8, 7)]
    assert places(page["messages"]) == places(pushed)
    assert typed == {}
    assert [entry.get("audience") for entry in log["messages"]] == [
        "all",
        *ASIDES,
        None,
        "all",
        "all",
    ]
