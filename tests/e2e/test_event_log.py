"""One conversation, from the AI to a human and back, in the log of a server."""

import logging
from typing import Any

import pytest

from tests.e2e.test_live_chat import system
from tests.support.user import Refused, user

ACTIONS = ("turn_ended", "status_changed", "notice_settled", "refused")


def logged(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """Return the lines of the server, but for those of refusals by the bridge."""
    return [vars(each) for each in caplog.records if vars(each).get("action") in ACTIONS]


async def test_turns_transfers_deliveries_and_refusals_have_a_line_each(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "adapters")
    async with system() as whole:
        ana, maria = await whole.user(), await whole.maria()
        await ana.say("Bună! Care este programul?")
        answered = await ana.wait_for("new_message", author="ai")
        asked = await ana.ask_for_human(message="Vreau un om")
        await maria.wait_for("notification", type="waiting")
        await maria.send("claim", sessionId=asked["sessionId"])
        await ana.wait_for("conversation_status", status="live")
        await maria.send("return", sessionId=asked["sessionId"])
        await ana.wait_for("conversation_status", status="ai")
        async with user(whole.server.address) as stranger:
            with pytest.raises(Refused):
                await stranger.join(locationId=" ")
    lines = logged(caplog)
    session = [line for line in lines if line["action"] != "refused"]
    turns = [line for line in session if line["action"] == "turn_ended"]
    changes = [line for line in session if line["action"] == "status_changed"]
    delivered = [line for line in session if line["action"] == "notice_settled"]

    assert {line["session_id"] for line in session} == {asked["sessionId"]}
    assert [line["response_id"] for line in turns if line["outcome"] == "answered"] == [
        answered["responseId"]
    ]
    statuses = [line["status"] for line in changes]
    assert (statuses[0], statuses[-2:]) == ("waiting", ["live", "ai"])
    assert {line["transfer_id"] for line in changes} == {asked["transferId"]}
    assert changes[-2]["coordinator_id"] == "maria"
    assert {"conversation", "transfer"} <= {line["kind"] for line in delivered}
    assert [(line["reason"], line["event"]) for line in lines if line["action"] == "refused"] == [
        ("invalid_payload", "phx_join")
    ]
