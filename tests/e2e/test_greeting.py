"""The greeting of a business, and the questions that it suggests, over the wire and on the page."""

import pytest
from dependency_injector import providers
from msgspec.structs import replace

from adapters.memory.businesses import MemoryBusinesses
from domain.business import Business, Welcome
from domain.identity import BusinessId
from domain.texts import Text, localized
from entrypoints.server.app import create_app
from entrypoints.server.container import Container
from entrypoints.settings import Settings
from tests.support.server import running
from tests.support.user import user
from tests.support.wire import identity, product, socket

RESTO = Business(
    business_id=BusinessId("resto"),
    name="Resto",
    greeting="Bună! Cu ce vă ajut?",
    suggestions=("Ce program aveți?", "Aveți meniu vegan?"),
)


async def test_a_join_tells_the_greeting_and_the_suggestions_of_the_business_alone() -> None:
    container = Container(settings=Settings(store="memory"))
    others = Business(business_id=BusinessId("b1"), name="B1")
    container.businesses.override(providers.Object(MemoryBusinesses((RESTO, others), {})))
    replies = {}
    async with running(create_app(container.settings(), container)) as address:
        for name in ("resto", "b1", "unknown"):
            async with socket(address) as client:
                topic = f"messages:{name}"
                _, replies[name] = await client.call("phx_join", identity(name), topic)

    assert replies["resto"]["greeting"] == RESTO.greeting
    assert replies["resto"]["suggestions"] == list(RESTO.suggestions)
    for name in ("b1", "unknown"):
        assert not {"greeting", "suggestions"} & replies[name].keys()


@pytest.mark.parametrize(
    ("language", "greeting"),
    [
        ("en", "Hello!"),
        ("en-GB", "Hello!"),
        ("ro-RO", RESTO.greeting),
        ("de", RESTO.greeting),
        (None, RESTO.greeting),
        ("no language", RESTO.greeting),
    ],
)
async def test_a_customer_is_greeted_in_the_language_that_the_client_names_where_there_is_one(
    language: str | None, greeting: str
) -> None:
    container = Container(settings=Settings(store="memory"))
    english = Welcome(greeting="Hello!", suggestions=("Are you open?",))
    resto = replace(RESTO, welcomes={"en": english})
    container.businesses.override(providers.Object(MemoryBusinesses((resto,), {})))
    async with running(create_app(container.settings(), container)) as address:
        async with user(address, "resto") as customer:
            joined = await customer.join(language=language)

    assert joined["greeting"] == greeting
    assert (joined["suggestions"] == ["Are you open?"]) == (greeting == "Hello!")


async def test_notices_are_in_the_language_that_a_client_names_until_another_shows() -> None:
    async with product() as server, user(server.address) as customer:
        await customer.join(language="de-DE")
        await customer.ask_for_human()
        asked = await customer.wait_for("new_message", author="system")
        await customer.say("I would like to order a large pizza with some olives, please")
        await customer.request("end_live_chat", {})
        ended = await customer.wait_for("new_message", author="system")
        (log,) = (await server.api.get("/api/conversations")).json()["conversations"]

    assert asked["message"] == localized("de", Text.REQUESTED)
    assert ended["message"] == localized("en", Text.CANCELLED)
    assert log["language"] == "en"
