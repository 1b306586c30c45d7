"""A yes or a no to what the AI would do, through the customer's socket and the HTTP API."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from domain.tool import Confirmer
from tests.support.questions import WHAT, asking, outcomes_in, question_to
from tests.support.user import Refused, User, user

NO_TIME = timedelta(0)


async def confirm(one: User, question: dict[str, Any], answer: str = "yes") -> dict[str, Any]:
    payload = {"confirmId": question["confirmId"], "answer": answer}
    return await one.request("confirm_action", payload)


async def answered(address: str, session_id: str, confirm_id: str, **body: Any) -> httpx.Response:
    async with httpx.AsyncClient(base_url=f"http://{address}") as http:
        path = f"/api/conversations/{session_id}/confirmations/{confirm_id}"
        return await http.post(path, json=body)


async def got(address: str, path: str) -> Any:
    async with httpx.AsyncClient(base_url=f"http://{address}") as http:
        return (await http.get(path)).raise_for_status().json()


async def test_a_question_names_what_is_done_and_until_when_it_waits() -> None:
    async with asking() as (address, *_), user(address) as one:
        await one.join()

        question, answer = await question_to(one)

        assert question.keys() == {"type", "confirmId", "by", "title", "items", "expiresAt"}
        assert question["confirmId"].startswith(f"{answer['sessionId']}-")
        assert (question["by"], question["title"]) == ("customer", "Rezervare masă")
        assert question["items"] == [
            {"label": "Ziua", "value": "2026-12-01"},
            {"label": "Persoane", "value": "4"},
        ]
        assert WHAT in answer["message"]


@pytest.mark.parametrize("vsn", [1, 2])
async def test_the_customers_yes_is_their_message_on_every_socket_and_is_acted_upon_once(
    vsn: int,
) -> None:
    async with (
        asking() as (address, tools, _),
        user(address, vsn=vsn) as one,
        user(address) as other,
    ):
        await one.join()
        await other.join()
        question, _ = await question_to(one)
        confirm_id = question["confirmId"]

        reply = await confirm(one, question)
        said = [await each.wait_for("user_message", message="Da") for each in (one, other)]
        outcome = await one.wait_for("new_message", author="ai")

        assert reply == {"confirmId": confirm_id, "answer": "yes"}
        assert said[0] == said[1]
        assert outcomes_in(said[0]) == [(confirm_id, "approved")]
        assert outcomes_in(outcome) == [(confirm_id, "done")]
        assert [request.key for request in tools.requests] == [confirm_id]


async def test_the_first_answer_counts_and_every_other_one_gets_it() -> None:
    async with asking() as (address, tools, _), user(address) as one, user(address) as other:
        await one.join()
        await other.join()
        question, _ = await question_to(one)

        replies = [await confirm(one, question, "no"), await confirm(other, question, "yes")]
        await one.wait_for("new_message", author="ai", message="Bine.")

        assert [reply["answer"] for reply in replies] == ["no", "no"]
        assert not tools.requests


async def test_a_yes_in_words_is_marked_as_the_answer_to_the_question() -> None:
    async with asking() as (address, tools, _), user(address) as one, user(address) as other:
        await one.join()
        await other.join()
        question, _ = await question_to(one)

        await one.say("Da, vă rog!")
        said = await other.wait_for("user_message", message="Da, vă rog!")
        outcome = await one.wait_for("new_message", author="ai")

        assert outcomes_in(said) == [(question["confirmId"], "approved")]
        assert outcomes_in(outcome) == [(question["confirmId"], "done")]
        assert len(tools.requests) == 1


async def test_who_joins_again_knows_what_has_become_of_the_question() -> None:
    async with asking() as (address, *_), user(address) as one:
        await one.join()
        question, _ = await question_to(one)
        await confirm(one, question)
        await one.wait_for("new_message", author="ai")

        async with user(address) as again:
            messages = (await again.join())["messages"]

        found = [each for message in messages for each in outcomes_in(message)]
        assert found == [(question["confirmId"], "approved"), (question["confirmId"], "done")]


async def test_a_message_that_answers_no_question_has_no_actions_in_its_push() -> None:
    async with asking() as (address, *_), user(address) as one, user(address) as other:
        await one.join()
        await other.join()
        await one.say("Bună!")

        said = await other.wait_for("user_message")

        assert "actions" not in said


async def test_an_answer_to_a_question_that_does_not_wait_for_it_is_refused_by_name() -> None:
    async with asking(confirm_for=NO_TIME) as (address, *_), user(address) as one:
        await one.join()
        question, _ = await question_to(one)

        with pytest.raises(Refused) as expired:
            await confirm(one, question)
        with pytest.raises(Refused) as unknown:
            await confirm(one, {"confirmId": "no-such-1"})
        with pytest.raises(Refused) as invalid:
            await confirm(one, question, "maybe")

        refusals = [error.value.reason for error in (expired, unknown, invalid)]
        assert refusals == ["expired", "unknown_confirmation", "invalid_payload"]


async def test_a_question_is_withdrawn_when_a_human_is_asked_for() -> None:
    async with asking() as (address, tools, _), user(address) as one:
        await one.join()
        question, _ = await question_to(one)
        await one.ask_for_human()

        with pytest.raises(Refused) as refused:
            await confirm(one, question)
        notice = await one.wait_for("new_message", author="system")

        assert refused.value.reason == "withdrawn"
        assert outcomes_in(notice) == [(question["confirmId"], "withdrawn")]
        assert not tools.requests


async def test_nobody_answers_the_question_of_another_customer() -> None:
    async with asking() as (address, tools, _), user(address) as one:
        await one.join()
        question, _ = await question_to(one)
        async with user(address, user_id="u2") as stranger:
            await stranger.join()
            await stranger.say("Bună!")

            with pytest.raises(Refused) as refused:
                await confirm(stranger, question)

        assert refused.value.reason == "unknown_confirmation"
        assert not tools.requests


# A coordinator's.


async def test_a_coordinators_yes_takes_nothing_over_and_is_acted_upon_once() -> None:
    async with asking(Confirmer.COORDINATOR) as (address, tools, _), user(address) as one:
        await one.join()
        question, message = await question_to(one)
        session_id, confirm_id = message["sessionId"], question["confirmId"]

        with pytest.raises(Refused) as theirs:
            await confirm(one, question)
        first = await answered(address, session_id, confirm_id, answer="yes", coordinatorId="ana")
        second = await answered(address, session_id, confirm_id, answer="no", coordinatorId="dan")
        outcome = await one.wait_for("new_message", author="ai")
        head = await got(address, f"/api/conversations/{session_id}")

        assert theirs.value.reason == "unknown_confirmation"
        assert (first.status_code, second.status_code) == (200, 200)
        assert first.json() == second.json() == {"confirmId": confirm_id, "answer": "yes"}
        assert outcomes_in(outcome) == [(confirm_id, "done")]
        assert (head["status"], head["epoch"], head["confirmation"]) == ("ai", 0, None)
        assert len(tools.requests) == 1


async def test_the_customer_learns_that_a_coordinator_has_said_no() -> None:
    async with asking(Confirmer.COORDINATOR) as (address, tools, _), user(address) as one:
        await one.join()
        question, message = await question_to(one)

        await answered(address, message["sessionId"], question["confirmId"], answer="no")
        answer = await one.wait_for("new_message", author="ai")

        assert outcomes_in(answer) == [(question["confirmId"], "rejected")]
        assert not tools.requests


async def test_the_api_shows_the_open_question_and_every_step() -> None:
    async with asking(Confirmer.COORDINATOR) as (address, *_), user(address) as one:
        await one.join()
        question, message = await question_to(one)
        path = f"/api/conversations/{message['sessionId']}"

        head = await got(address, path)
        (listed,) = (await got(address, "/api/conversations"))["conversations"]
        await answered(
            address, message["sessionId"], question["confirmId"], answer="yes", coordinatorId="ana"
        )
        await one.wait_for("new_message", author="ai")
        log = (await got(address, f"{path}/messages"))["messages"]
        (exported,) = (await got(address, "/api/users/b1/u1/export"))["conversations"]

        assert head["confirmation"] == listed["confirmation"]
        assert head["confirmation"] == {
            "confirmId": question["confirmId"],
            "by": "coordinator",
            "what": WHAT,
            "expiresAt": question["expiresAt"],
        }
        steps = [entry["write"] for entry in log if entry["write"] is not None]
        assert [step["state"] for step in steps] == ["proposed", "approved", "started", "done"]
        assert {step["callId"] for step in steps} == {question["confirmId"]}
        assert steps[0]["arguments"] == {"date": "2026-12-01", "guests": 4}
        assert steps[0]["expiresAt"] == question["expiresAt"]
        assert steps[-1]["result"] == "Rezervat, cod R-7."
        (yes,) = [entry for entry in log if entry["coordinatorId"] == "ana"]
        assert (yes["author"], yes["audience"]) == ("coordinator", "coordinator")
        assert exported["messages"] == log


async def test_problems_name_why_an_answer_does_not_count() -> None:
    async with asking(Confirmer.COORDINATOR) as (address, *_), user(address) as one:
        await one.join()
        question, message = await question_to(one)
        session_id, confirm_id = message["sessionId"], question["confirmId"]

        problems = [
            await answered(address, "no-such", confirm_id, answer="yes"),
            await answered(address, session_id, "no-such-1", answer="yes"),
            await answered(address, session_id, confirm_id, answer="perhaps"),
        ]
        await one.ask_for_human()
        problems.append(await answered(address, session_id, confirm_id, answer="yes"))

        assert [(each.status_code, each.json()["code"]) for each in problems] == [
            (404, "unknown_confirmation"),
            (404, "unknown_confirmation"),
            (400, "invalid_payload"),
            (409, "withdrawn"),
        ]


async def test_a_question_that_has_expired_cannot_be_answered_over_http() -> None:
    async with (
        asking(Confirmer.COORDINATOR, confirm_for=NO_TIME) as (address, *_),
        user(address) as one,
    ):
        await one.join()
        question, message = await question_to(one)

        problem = await answered(address, message["sessionId"], question["confirmId"], answer="yes")

        assert (problem.status_code, problem.json()["code"]) == (409, "expired")
