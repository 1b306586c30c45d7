"""Texts from anywhere: what cannot be stored is made storable or refused, and closes nothing."""

import json
from typing import Any

import httpx
import pytest

from entrypoints.bridge.app import create_bridge
from entrypoints.settings import Settings
from tests.support.server import running
from tests.support.wire import identity, message, product, socket

HALF = "\ud83d"  # `json.dumps` writes it as `JSON.stringify` does: \\ud83d


async def escaped(
    api: httpx.AsyncClient, method: str, path: str, body: dict[str, Any]
) -> httpx.Response:
    """Send a body with halves of characters as escapes, which httpx would refuse to encode."""
    headers = {"Content-Type": "application/json"}
    answer = await api.request(method, path, content=json.dumps(body), headers=headers)
    return answer.raise_for_status()


async def test_half_a_character_is_stored_as_the_replacement_character_on_a_socket_that_lives() -> (
    None
):
    async with product() as server, socket(server.address) as client:
        await client.join()

        status, _ = await client.call("new_message", message(f"Salut {HALF}", **{HALF: HALF}))
        again, _ = await client.call("new_message", message("Mai ești?"))
        said = [each["message"] for each in await server.log() if each["author"] == "user"]

    assert (status, again) == ("ok", "ok")
    assert said == ["Salut \ufffd", "Mai ești?"]


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("new_message", message("x", messageId=HALF)),
        ("new_message", {**message("x"), "locationId": HALF}),
        ("phx_join", identity("b1", HALF)),
        ("history", {"sessionId": HALF}),
        ("new_message", message("\u200b\u2060")),
        ("transfer_to_live_chat", message("\u3164")),
    ],
)
async def test_an_id_with_half_a_character_and_a_text_that_shows_nothing_are_invalid(
    event: str, payload: Any
) -> None:
    async with product() as server, socket(server.address) as client:
        await client.join()

        status, response = await client.call(event, payload)
        await client.join(user_id="u2")  # the socket lives

    assert (status, response["reason"]) == ("error", "invalid_payload")


async def test_a_ref_a_topic_and_an_event_with_half_a_character_are_answered() -> None:
    async with product() as server, socket(server.address) as client:
        await client.join()
        replies = []
        frames: list[list[Any]] = [
            ["messages:b1", HALF, "messages:b1", "typing", {}],
            [None, "2", f"messages:{HALF}", "phx_join", {}],
            ["messages:b1", "3", "messages:b1", HALF, {}],
        ]
        for frame in frames:
            await client.send(frame)
            replies.append(await client.receive())

    assert [reply[1] for reply in replies] == ["\ufffd", "2", "3"]
    assert [reply[4]["status"] for reply in replies] == ["ok", "error", "error"]


async def test_control_characters_end_at_the_door() -> None:
    async with product() as server, socket(server.address) as client:
        await client.join()
        await client.call("new_message", message("a\0b\x1b[2Jc\r\nd\te\x9b"))
        status, reply = await client.call("transfer_to_live_chat", message("\0om\x7f"))
        spoken = {"sessionId": reply["sessionId"], "message": f"da\0{HALF}"}
        await escaped(server.api, "POST", "/api/agent-responses", spoken)
        returned = {"status": "ai", "summary": f"notă\0\x1b{HALF}"}
        path = f"/api/conversation-status/{reply['sessionId']}"
        await escaped(server.api, "PUT", path, returned)
        log = [each.get("message") for each in await server.log()]
        head = (await server.api.get(f"/api/conversations/{reply['sessionId']}")).json()

    assert status == "ok"
    assert "ab[2Jc\nd\te" in log
    assert "om" in log
    assert "da\ufffd" in log
    assert head["summary"] == "notă\ufffd"


async def test_a_coordinators_message_that_shows_nothing_is_no_takeover() -> None:
    async with product() as server, socket(server.address) as client:
        await client.join()
        _, stored = await client.call("new_message", message("Bună"))
        said = {"sessionId": stored["sessionId"], "message": "\u200b\u200d\ufeff"}

        answer = await server.api.post("/api/agent-responses", json=said)
        head = (await server.api.get(f"/api/conversations/{stored['sessionId']}")).json()

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_payload")
    assert head["status"] == "ai"


async def test_the_reference_bridge_stores_and_refuses_texts_by_the_same_rules() -> None:
    settings = Settings(bridge_store="memory", agent_server_url="http://127.0.0.1:9")
    async with (
        running(create_bridge(settings)) as address,
        httpx.AsyncClient(base_url=f"http://{address}") as api,
        socket(address) as client,
    ):
        topic = "chat:b1:u1"
        await client.call("phx_join", identity(), topic)
        said = await client.call("user_message", {"message": f"Salut\0 {HALF}"}, topic)
        blank = await client.call("agent_message", {"message": "\u200b"}, topic)
        body = {**identity(), "message": f"din HTTP\x1b {HALF}"}
        posted = await escaped(api, "POST", "/api/messages", body)
        _, joined = await client.call("phx_join", identity(), topic)

    assert (said[0], blank[0], posted.status_code) == ("ok", "error", 200)
    assert blank[1]["reason"] == "invalid_payload"
    assert [each["message"] for each in joined["messages"]] == ["Salut \ufffd", "din HTTP \ufffd"]
