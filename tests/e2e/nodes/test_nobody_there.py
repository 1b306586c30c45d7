"""A request for a human that nobody meets, of a server that is two processes."""

from dataclasses import replace

from domain.texts import Text, localized
from tests.e2e.plain_phoenix.system import CHAT, next_of
from tests.support.nodes import Nodes, reaching
from tests.support.plain_phoenix import TRATTORIA, PlainPhoenix, PlainSettings
from tests.support.server import running
from tests.support.user import user

NOBODY = f"{localized('ro', Text.NOBODY)} {localized('ro', Text.LEAVE_MESSAGE)}"
KEPT = localized("ro", Text.MESSAGE_KEPT)
KINDS = ["presence", "missed", "queue"]


async def test_a_message_is_left_at_one_for_a_request_at_the_other_and_both_show_the_queue(
    nodes: Nodes,
) -> None:
    application = PlainPhoenix(PlainSettings(business={**TRATTORIA, "additions": KINDS}, online=0))
    async with running(application.app()) as bridge:
        given = {**reaching(bridge), "SCRIPTED_DELAY_MS": "0"}
        first, second = await nodes.start(**given), await nodes.start(**given)
        async with user(first.address) as ana, user(second.address) as elsewhere:
            await ana.join()
            await elsewhere.join()
            await ana.ask_for_human()
            for each in (ana, elsewhere):
                await each.wait_for("new_message", message=NOBODY)
            await elsewhere.say("0722")
            for each in (ana, elsewhere):
                await each.wait_for("new_message", message=KEPT)
            missed = await next_of(application.requests, "POST", "/api/notifications")
            application.settings = replace(application.settings, online=1)
            asked = await elsewhere.ask_for_human()  # at who has asked the bridge nothing yet
            transfer = await next_of(application.requests, "POST", "/api/notifications")
            for each in (ana, elsewhere):
                await each.wait_for("conversation_status", status="waiting", reason="delivered")
            application.broadcast(CHAT, "queue", {"place": 2, "waitS": 60})
            places = [await each.wait_for("queue") for each in (ana, elsewhere)]

    assert (missed.payload["type"], missed.payload["message"]) == ("missed", "0722")
    assert (asked["status"], transfer.payload["type"]) == ("waiting", "transfer")
    assert places == [{"place": 2, "waitS": 60}] * 2
