"""A real server whose AI may call a tool of the business's that waits for somebody's yes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, NamedTuple

from dependency_injector import providers
from litestar import Litestar

from adapters.memory.businesses import MemoryBusinesses
from application.ports import Toolbox
from domain.tool import Confirmer
from entrypoints.server.app import create_app
from entrypoints.server.container import Container
from entrypoints.settings import Settings
from tests.support.assistants import Act, ScriptedSteps
from tests.support.business_tools import MemoryTools, booking_tool, with_tools
from tests.support.server import running
from tests.support.user import Payload, User

TABLE = {"date": "2026-12-01", "guests": 4}
WHAT = "Rezervare masă (Ziua: 2026-12-01, Persoane: 4)"


async def reserve(toolbox: Toolbox) -> None:
    """A step of an assistant that reserves a table."""
    await toolbox.call("reserve_table", TABLE)


class Asking(NamedTuple):
    """The server, and what its tool has been called with."""

    address: str
    tools: MemoryTools
    app: Litestar


@asynccontextmanager
async def asking(
    confirm: Confirmer = Confirmer.CUSTOMER,
    *scripts: list[Act],
    confirm_for: timedelta = timedelta(days=2),
    store: Any = None,
    port: int = 0,
    **settings: Any,
) -> AsyncIterator[Asking]:
    """Run a server whose AI asks for a yes to a reservation, and then answers."""
    chosen = {"store": "memory", "scripted_delay_ms": 0, "turn_quiet_ms": 0, **settings}
    tools = MemoryTools(booking_tool(confirm=confirm, confirm_for=confirm_for))
    container = Container(settings=Settings(**chosen))
    scripted = ScriptedSteps(*(scripts or ([reserve, "Verific."], ["Bine."])))
    container.assistant.override(providers.Object(scripted))
    container.businesses.override(providers.Object(MemoryBusinesses((with_tools(),))))
    container.business_tools.override(providers.Object(tools))
    if store is not None:
        container.store.override(providers.Object(store))
    app = create_app(Settings(**chosen), container)
    async with running(app, port=port) as address:
        yield Asking(address, tools, app)


async def question_to(user: User, text: str = "O masă, vă rog") -> tuple[Payload, Payload]:
    """Say something that makes the AI ask; return the question and the message with it."""
    await user.say(text)
    answer = await user.wait_for("new_message", author="ai")
    (question,) = [each for each in answer["actions"] if each["type"] == "confirm"]
    return question, answer


def outcomes_in(push: Payload) -> list[tuple[str, str]]:
    """Return what a message says has become of which questions."""
    found = [each for each in push.get("actions", ()) if each["type"] == "confirmation"]
    return [(each["confirmId"], each["state"]) for each in found]
