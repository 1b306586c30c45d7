"""A plain Phoenix application's HTTP works, and its topic refuses joins."""

from domain.texts import Text, localized
from tests.support.plain_phoenix import PlainPhoenix, PlainSettings
from tests.support.server import running
from tests.support.user import user
from tests.support.wire import product

CHAT = "chat:b1:u1"


async def test_who_waits_on_a_topic_that_refuses_joins_is_told_so_once_and_that_it_is_over() -> (
    None
):
    application = PlainPhoenix(PlainSettings(refused_joins=1.0))
    async with running(application.app()) as address:
        async with (
            product(
                bridge="elixir",
                elixir_http_url=f"http://{address}",
                elixir_websocket_url=f"ws://{address}/socket/websocket",
            ) as server,
            user(server.address) as ana,
        ):
            await ana.join()
            await ana.ask_for_human()
            await ana.wait_for("conversation_status", reason="delivered")
            await ana.wait_for("new_message", message=localized("ro", Text.UNREACHABLE))
            application.settings = PlainSettings()
            await ana.wait_for("new_message", message=localized("ro", Text.REACHED))
            application.broadcast(CHAT, "agent_message", {"body": "Bună, sunt Maria."})
            await ana.wait_for("agent_message", message="Bună, sunt Maria.")
            texts = [entry.get("message") for entry in await server.log()]

    assert texts.count(localized("ro", Text.UNREACHABLE)) == 1
    assert texts.count(localized("ro", Text.REACHED)) == 1
