"""Businesses with models of their own: whom each conversation is sent to, and with which key."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from adapters.model import own_models
from adapters.model.own_models import BusinessAssistants
from adapters.model_choices import ModelChoice, own_model
from domain.business import Business, ModelSettings
from domain.errors import AssistantFailed
from domain.identity import BusinessId
from domain.usage import Usage
from domain.view import View
from entrypoints.server.container import Container
from entrypoints.settings import Settings
from tests.support.assistants import Said, ScriptedSteps
from tests.support.model_turns import UsedTools, conversation
from tests.support.openai_stub import Stub, says, stub
from tests.unit.domain.makers import at

SERVERS = (ModelChoice(model="m1", base_url="https://one.example/v1", effort="low"), "key-1")


def business(name: str, **chosen: Any) -> Business:
    return Business(business_id=BusinessId(name), name=name, model=ModelSettings(**chosen))


@asynccontextmanager
async def assistants(usual: Stub) -> AsyncIterator[BusinessAssistants]:
    """The assistants of a server whose own model is at `usual`."""
    settings = Settings(
        store="memory",
        assistant="openai",
        openai_base_url=usual.url,
        openai_api_key="usual-key",
        openai_model="usual",
        openai_api="chat",
    )
    made = Container(settings=settings).assistant()
    assert isinstance(made, BusinessAssistants)
    async with made:
        yield made


async def ask(assistant: BusinessAssistants, of: Business) -> Usage | None:
    session, entries = conversation("Bună!")
    view = View(session=session, at=at(60), business=of, entries=entries, pending=entries)
    return await assistant.answer(view, UsedTools(view), Said())


async def test_a_business_with_a_model_of_its_own_is_answered_by_it_and_the_others_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RESTO_KEY", "resto-key")
    async with stub(says("Da.")) as usual, stub(says("Sigur.")) as own, assistants(usual) as made:
        chosen = {"model": "own", "base_url": own.url, "api_key_variable": "RESTO_KEY"}
        await ask(made, business("resto", **chosen, api="chat"))
        await ask(made, business("b1"))
        await made.summarise(
            None,
            conversation("Bună!")[1],
            "ro",
            max_tokens=100,
            business=business("resto", **chosen),
        )
        await made.judge("Da.", timeout_s=5.0, business=business("resto", **chosen))

    assert own.models == ["own"] * 3
    assert usual.models == ["usual"]
    keys = {request.headers["authorization"] for request in own.requests}
    assert keys == {"Bearer resto-key"}


async def test_a_business_that_names_only_a_model_is_answered_at_the_servers_own_provider() -> None:
    async with stub(says("Da.")) as usual, assistants(usual) as made:
        await ask(made, business("resto", model="larger"))

    assert usual.models == ["larger"]
    assert usual.requests[0].headers["authorization"] == "Bearer usual-key"


async def test_a_business_whose_key_is_not_set_is_sent_to_nobody_else() -> None:
    async with stub(says("Da.")) as usual, assistants(usual) as made:
        with pytest.raises(AssistantFailed, match="UNSET_KEY, which is not set"):
            await ask(made, business("resto", model="own", api_key_variable="UNSET_KEY"))

    assert usual.requests == []


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({"model": "m2"}, (("m2", "https://one.example/v1", "low"), "key-1")),
        ({"effort": "high"}, (("m1", "https://one.example/v1", "high"), "key-1")),
        (
            {"model": "m2", "base_url": "https://two.example/v1"},
            (("m2", "https://two.example/v1", ""), ""),  # the server's key goes nowhere else
        ),
        (
            {"model": "m2", "base_url": "https://two.example/v1", "api_key_variable": "TWO"},
            (("m2", "https://two.example/v1", ""), "key-2"),
        ),
        (
            {"api_key_variable": "TWO"},
            (("m1", "https://one.example/v1", "low"), "key-2"),
        ),
    ],
)
def test_what_a_business_does_not_choose_is_as_the_server_has_it(
    chosen: dict[str, Any], expected: tuple[tuple[str, str, str], str]
) -> None:
    choice, key = own_model(ModelSettings(**chosen), SERVERS, {"TWO": "key-2"})

    assert ((choice.model, choice.base_url, choice.effort), key) == expected


def test_an_address_without_a_model_is_refused() -> None:
    with pytest.raises(ValueError, match="needs its name"):
        own_model(ModelSettings(base_url="https://two.example/v1"), SERVERS, {})


def counted(opened: list[str], closed: list[str]) -> Callable[[ModelSettings], ScriptedSteps]:
    """Return what makes assistants that record when they are opened and closed."""

    class Counted(ScriptedSteps):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

        async def __aenter__(self) -> "Counted":
            opened.append(self.name)
            return self

        async def __aexit__(self, *exc: object) -> None:
            closed.append(self.name)

    return lambda settings: Counted(settings.model or "")


async def test_businesses_with_the_same_choice_share_an_assistant_which_is_closed_at_the_end() -> (
    None
):
    opened: list[str] = []
    closed: list[str] = []
    async with BusinessAssistants(ScriptedSteps(), counted(opened, closed)) as made:
        await ask(made, business("a", model="m", budget_hard_tokens=10))
        await ask(made, business("b", model="m"))
        await ask(made, business("c", model="n"))

        assert opened == ["m", "n"]
        assert closed == []
    assert sorted(closed) == ["m", "n"]


async def test_the_assistant_that_was_not_asked_for_longest_makes_room_for_a_new_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(own_models, "MAX_OWN_ASSISTANTS", 2)
    opened: list[str] = []
    closed: list[str] = []
    async with BusinessAssistants(ScriptedSteps(), counted(opened, closed)) as made:
        for model in ("m", "n", "m", "o"):
            await ask(made, business("a", model=model))

        assert opened == ["m", "n", "o"]
        assert closed == ["n"]
