"""A business's own tools, called by a model over a real connection, and made through the log."""

import asyncio
from typing import Any

from adapters.memory.businesses import MemoryBusinesses
from application.ports import Event
from domain.message import Message
from domain.texts import Text, localized
from domain.tool import Confirmer, Effect
from tests.support.business_tools import MemoryTools, booking_tool, with_tools
from tests.support.harness import appended, harness
from tests.support.model_turns import openai_assistant
from tests.support.openai_stub import calls, says, stub

WHAT = "Rezervare masă (Ziua: 2026-12-01, Persoane: 4)"
ARGUMENTS: dict[str, Any] = {"date": "2026-12-01", "guests": 4}


async def test_a_model_is_offered_them_asks_and_is_told_what_came_of_the_yes() -> None:
    find = booking_tool("find_tables", effect=Effect.READ)
    tools = MemoryTools(find, booking_tool(confirm=Confirmer.CUSTOMER))
    answers = (
        calls("find_tables", text="", **ARGUMENTS),
        calls("reserve_table", text="", **ARGUMENTS),
        says("Am găsit o masă."),
        says("Masa este rezervată."),
    )
    async with stub(*answers) as server, openai_assistant(server.url) as assistant:
        businesses = MemoryBusinesses((with_tools(),))
        async with harness(assistant, businesses=businesses, tools=tools) as app:
            user, answered = app.user(), asyncio.Semaphore(0)
            await user.join()

            def count(event: Event) -> None:
                if any(isinstance(e, Message) and e.settles_seq for e in appended([event])):
                    answered.release()

            app.hub.subscribe(user.customer, count)
            for text in ("O masă pentru patru", "da"):
                await user.say(text)
                await app.quiet()
                await asyncio.wait_for(answered.acquire(), 20)

            offered = [each["function"]["name"] for each in server.requests[0].body["tools"]]
            assert offered[-2:] == ["find_tables", "reserve_table"]
            assert "What you can make, change or cancel" in str(server.requests[0].body)
            asked = server.requests[2].body["messages"][-1]["content"]
            assert "it has not been done: it waits until the customer says yes" in asked
            question = localized("ro", Text.CONFIRM, what=WHAT)
            assert user.words[0] == f"Am găsit o masă.\n\n{question}"
            told = str(server.requests[3].body["messages"])
            assert '<call tool="reserve_table" state="done"' in told
            assert "Rezervat, cod R-7." in told
            assert user.words[1] == "Masa este rezervată."
            assert [request.tool for request in tools.requests] == ["find_tables", "reserve_table"]
            uses = [use for entry in await app.stored(user.customer)
                    if isinstance(entry, Message) for use in entry.tools]  # fmt: skip
            assert [(use.name, use.outcome) for use in uses] == [
                ("find_tables", "found"),
                ("reserve_table", "asked"),
            ]
            assert uses[0].result == "Rezervat, cod R-7."
