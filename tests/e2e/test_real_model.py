"""The server as a process of its own, with a real model behind llama.cpp's own server.

The model is so small that what it says has no meaning: the tests are about the form.
"""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from adapters.knowledge.index import KnowledgeIndex
from adapters.openai.client import OpenAIClient
from adapters.openai.embeddings import OpenAIEmbedder
from adapters.system import SystemClock
from domain.identity import BusinessId
from domain.texts import Text, localized
from tests.support.llama_cpp import LlamaCpp, llama_cpp
from tests.support.process import command, server
from tests.support.user import Payload, User, user

pytestmark = pytest.mark.timeout(180)  # of a machine that has no time for it

LONG = {"ignore_eos": True, "n_ctx": 1024}
"""For `llama_cpp`: each answer has as many tokens as there may be."""
TWO_SLOTS = {**LONG, "n_ctx": 2 * 1024, "n_parallel": 2}
"""One for the answers, and one for the question what they claim, which would take its cache."""
TOKENS = 64
MEAN_POOLING = 1
"""How llama.cpp makes one vector of those of a text's tokens."""
FACTS = """
name = "Bistro Verde"
facts = { hours = "Monday to Friday 9-22", phone = "021 555 0100", parking = "10 places" }
"""
HELLO = "Hello! What are your opening hours?"
CUT = localized("en", Text.ANSWER_CUT)
APOLOGY = localized("en", Text.APOLOGY)


async def told(who: User, event: str) -> Payload:
    """Return the next push of a kind, however long the model takes."""
    while not (found := [payload for name, payload in who.pushes if name == event]):
        await who.next_push()
    who.pushes.remove((event, found[0]))
    return found[0]


async def begun(who: User, text: str) -> Payload:
    """Send a message, and return the first piece of its answer."""
    who.pushes.clear()
    await who.say(text)
    return await told(who, "message_delta")


async def answered(who: User, text: str) -> tuple[Payload, list[str]]:
    """Return the answer to a message, and the pieces in which it came."""
    who.pushes.clear()
    await who.say(text)
    answer = await told(who, "new_message")
    return answer, [payload["text"] for name, payload in who.pushes if name == "message_delta"]


def shown(pieces: list[Payload]) -> str:
    """Return what a client shows: with the index 0 it begins anew."""
    text = ""
    for piece in pieces:
        text = piece["text"] if piece["index"] == 0 else text + piece["text"]
    return text


def settings(model: LlamaCpp, folder: Path, **more: str) -> dict[str, str]:
    """Return the settings of a server that asks the model, about a business with few facts."""
    businesses = folder / "few"
    businesses.mkdir(exist_ok=True)
    (businesses / "b1.toml").write_text(FACTS)
    chosen = {"BUSINESSES": str(businesses), "OPENAI_MAX_OUTPUT_TOKENS": str(TOKENS)}
    return {**model.settings, **chosen, **more}


async def usage(address: str, session_id: str) -> list[dict[str, Any]]:
    """Return what each answer of a session has cost."""
    async with httpx.AsyncClient(base_url=f"http://{address}") as api:
        page = (await api.get(f"/api/conversations/{session_id}/messages")).json()
    return [entry["usage"] for entry in page["messages"] if entry.get("usage")]


async def answer_tokens(address: str) -> dict[str, float]:
    """Return the tokens of all answers so far by kind, without what else the model was asked."""
    async with httpx.AsyncClient(base_url=f"http://{address}") as api:
        exposition = (await api.get("/metrics")).text
    return {
        sample.labels["kind"]: sample.value
        for family in text_string_to_metric_families(exposition)
        for sample in family.samples
        if sample.name == "ai_agent_model_tokens_total" and sample.labels["purpose"] == "answer"
    }


@pytest.mark.parametrize("api", ["chat", "responses"])
async def test_an_answer_comes_in_pieces_and_its_tokens_are_counted(
    tmp_path: Path, api: str
) -> None:
    async with (
        llama_cpp(tmp_path, **TWO_SLOTS) as model,
        server(
            tmp_path, **settings(model, tmp_path, OPENAI_API=api, OPENAI_MAX_OUTPUT_TOKENS="32")
        ) as run,
        user(run.address) as who,
    ):
        await who.join(stream=True)
        first, _ = await answered(who, HELLO)
        of_first = await answer_tokens(run.address)
        second, pieces = await answered(who, "Tell me a story about a dog.")
        of_both = await answer_tokens(run.address)
        costs = await usage(run.address, second["sessionId"])

    assert first["message"] not in (APOLOGY, "")
    assert second["message"] == "".join(pieces) != APOLOGY
    assert len(pieces) > 10
    # Over Responses llama.cpp does not say that an answer was cut.
    assert second["message"].endswith(CUT) == (api == "chat")
    of_second = {kind: count - of_first[kind] for kind, count in of_both.items()}
    asked = [tokens["input"] + tokens["cached"] for tokens in (of_first, of_second)]
    assert [tokens["output"] for tokens in (of_first, of_second)] == [32, 32]
    assert asked[0] < asked[1]
    # The rules and the facts are the same for both, and come first.
    assert of_second["cached"] > asked[0] / 2
    # Where the words might be a claim, the model was asked about them too: that counts as well, by
    # an estimate if it took longer than there is time for.
    assert all(cost["outputTokens"] >= 32 for cost in costs)
    assert [cost["inputTokens"] >= n for cost, n in zip(costs, asked, strict=True)] == [True, True]


async def test_a_takeover_and_a_stop_end_the_models_work(tmp_path: Path) -> None:
    async with (
        llama_cpp(tmp_path, **LONG) as model,
        server(tmp_path, **settings(model, tmp_path)) as run,
        user(run.address) as who,
        httpx.AsyncClient(base_url=f"http://{run.address}") as api,
    ):
        await who.join(stream=True)
        # The first answer of a process is shown once it is whole.
        session_id = (await answered(who, HELLO))[0]["sessionId"]

        piece = await begun(who, "Tell me a story about a dog.")
        await who.request("stop_answer", {})
        stopped = await told(who, "new_message")
        await model.until_slot(is_processing=False)

        await begun(who, "Tell me a story about a cat.")
        path = f"/api/conversation-status/{session_id}"
        taken = await api.put(path, json={"status": "live", "coordinatorId": "Ana"})
        await told(who, "conversation_status")
        await model.until_slot(is_processing=False)
        who.pushes.clear()
        await who.say("Are you there?")
        late = [name for name, _ in who.pushes if name == "message_delta"]

    assert stopped["responseId"] == piece["responseId"]
    assert stopped["message"].startswith(piece["text"])
    assert not stopped["message"].endswith(CUT)
    assert taken.status_code == 200
    assert late == []
    # On a busy machine an attempt may stall, which cancels one more.
    assert model.log().count("cancel task") >= 2


async def test_a_conversation_that_is_too_long_for_the_model_is_answered(tmp_path: Path) -> None:
    story = "I was at the market and bought apples, pears and plums for my aunt. " * 18
    async with (
        llama_cpp(tmp_path, **LONG) as model,
        server(tmp_path, **settings(model, tmp_path, OPENAI_MAX_OUTPUT_TOKENS="16")) as run,
        user(run.address) as who,
    ):
        await who.join(stream=True)
        first, _ = await answered(who, story)
        second, _ = await answered(who, story)
        costs = await usage(run.address, second["sessionId"])

    assert APOLOGY not in (first["message"], second["message"])
    assert "exceeds the available context size" in model.log()
    assert [cost["outputTokens"] for cost in costs] == [16, 16]
    assert abs(costs[0]["inputTokens"] - costs[1]["inputTokens"]) < 20


async def test_a_model_that_is_restarted_in_the_middle_of_an_answer_answers(
    tmp_path: Path,
) -> None:
    async with (
        llama_cpp(tmp_path, **LONG) as model,
        server(tmp_path, **settings(model, tmp_path, OPENAI_MAX_OUTPUT_TOKENS="32")) as run,
        user(run.address) as who,
    ):
        await who.join(stream=True)
        await answered(who, HELLO)
        piece = await begun(who, "Tell me a story about a dog.")
        model.kill()
        model.launch()
        answer = await told(who, "new_message")
        pieces = [payload for name, payload in who.pushes if name == "message_delta"]

    assert answer["responseId"] == piece["responseId"]
    assert answer["message"].endswith(CUT)
    assert shown([piece, *pieces]) == answer["message"]
    assert model.log().count("listening on") == 2


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({}, "did not call the tool that it was told to call"),
        ({"use_jinja": False}, "its server does not accept tools"),
    ],
)
async def test_check_tells_the_truth_of_a_model_without_tools(
    tmp_path: Path, chosen: dict[str, Any], said: str
) -> None:
    async with llama_cpp(tmp_path, **LONG, **chosen) as model:
        checked = await asyncio.to_thread(
            command, tmp_path, "check", **settings(model, tmp_path, STORE="memory")
        )

    assert checked.returncode == 1
    assert said in checked.stdout


async def test_a_real_models_embeddings_are_kept_and_found(tmp_path: Path) -> None:
    documents = tmp_path / "documents"
    documents.mkdir()
    for name in ("breakfast", "parking", "balcony"):
        (documents / f"{name}.md").write_text(f"# The {name}\n\nEvery room has its {name}.")
    async with llama_cpp(tmp_path, embedding=True, pooling_type=MEAN_POOLING) as model:
        client = OpenAIClient(f"{model.url}/v1", "any", "smollm2", SystemClock())
        async with KnowledgeIndex(
            tmp_path / "index", embedder=OpenAIEmbedder(client), least_similarity=0
        ) as index:
            await index.update(BusinessId("b1"), documents)
            found = await index.search(BusinessId("b1"), "Where can I find the parking?")
            # No word of it is in a document: whatever comes, comes by its embedding.
            by_meaning = await index.search(BusinessId("b1"), "zzz qqq")

    assert found[0].passage.location == "parking.md#the-parking"
    assert len(by_meaning) == 3
