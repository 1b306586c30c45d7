"""The bridge's HTTP client with a server that fails in many ways, over real sockets."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from adapters.elixir.bridge import ATTEMPTS_TO_LEARN, ElixirBridge
from adapters.elixir.businesses import BUSINESS_TTL_S, CHANGED_TTL_S, ElixirBusinesses
from adapters.elixir.http import (
    LONGEST_RETRY_AFTER_S,
    MAX_REPLY,
    MISCONFIGURED_PAUSE_S,
    ElixirHttp,
)
from adapters.elixir.payloads import request_of
from adapters.http_client import FAILURES_TO_OPEN
from adapters.memory.businesses import MemoryBusinesses
from adapters.system import SystemClock
from application.ports import Businesses, Clock
from domain.business import Business, Reservation
from domain.errors import BridgeRefused, BridgeUnavailable
from domain.identity import BusinessId, Customer, MessageId, SessionId, customer
from domain.notice import (
    ConfirmationChanged,
    ConversationRated,
    HandoverContext,
    LiveChatMessagePosted,
    MessageLeft,
    Notice,
    NoticeContent,
    StatusChanged,
)
from domain.rating import Stars
from domain.status import Reason, Status
from domain.tool import Confirmer
from domain.write_call import WriteState, WriteStep
from tests.support.bridge import (
    CLOSE,
    DONE,
    GARBAGE,
    HALF_A_HEAD,
    HANG,
    HUGE,
    LOST_ANSWER,
    NEVER_ENDS,
    RESET,
    Fault,
    FaultyBridge,
    ReceivedRequest,
    status,
)
from tests.support.clock import START, VirtualClock, settle
from tests.support.plain_phoenix import TRATTORIA, PlainPhoenix, PlainSettings
from tests.support.server import running

ANA = customer("b1", "ana")
BODY = {"message": "Bună!", "nested": {"at": None}}
POSTED = LiveChatMessagePosted(at=START, text="Bună!", message_id=MessageId("m1"))


class Hasty(SystemClock):
    """A clock whose pauses end at once; their lengths are in `pauses`."""

    def __init__(self) -> None:
        super().__init__()
        self.pauses: list[float] = []

    async def sleep(self, delay_s: float) -> None:
        self.pauses.append(delay_s)
        await super().sleep(0)


@asynccontextmanager
async def connected(
    bridge: FaultyBridge, clock: Clock | None = None, **given: Any
) -> AsyncIterator[ElixirHttp]:
    settings = {"timeout_s": 5.0, "attempts": 3, **given}
    http = ElixirHttp(bridge.url, clock=clock or Hasty(), jitter=lambda: 1.0, **settings)
    async with http:
        yield http


def notice(content: NoticeContent) -> Notice:
    return Notice(
        notice_id="n1",
        session_id=SessionId("s1"),
        customer=ANA,
        position=10,
        content=content,
        due_at=START,
    )


async def tell(http: ElixirHttp, key: str = "n1") -> None:
    await http.send("POST", "/api/ai-context", BODY, key=key)


class HeldHealth(FaultyBridge):
    """A bridge whose health checks wait until the test lets them be answered."""

    def __init__(self) -> None:
        super().__init__()
        self.asked_for_health, self.answers_health = asyncio.Event(), asyncio.Event()

    async def _outcome(self, request: ReceivedRequest) -> Fault:
        if request.path == "/health":
            self.asked_for_health.set()
            await self.answers_health.wait()
        return await super()._outcome(request)


class Line:
    """A relay that records the notices."""

    def __init__(self) -> None:
        self.relayed: list[Notice] = []
        self.announced: set[str] = set()

    async def relay(self, notice: Notice) -> None:
        self.relayed.append(notice)

    async def prepare(self, customer: Customer) -> None:
        pass

    def announces(self, customer: Customer, addition: str) -> bool:
        return addition in self.announced


# Requests.


LEFT = MessageLeft(
    at=START,
    text="0722",
    reason=Reason.USER_REQUEST,
    context=HandoverContext(
        session_id=SessionId("s1"), customer=ANA, status=Status.AI, language="ro"
    ),
)
ASKED = ConfirmationChanged(
    at=START,
    step=WriteStep(
        call_id="s1-3",
        state=WriteState.PROPOSED,
        tool="reserve_table",
        what="O masă",
        confirm=Confirmer.COORDINATOR,
    ),
)
RATED = ConversationRated(at=START, stars=Stars(4))
UNANNOUNCED = {"/api/business/b1": {"name": "Bistro", "additions": ["typing"]}}
each_addition = pytest.mark.parametrize(
    ("content", "addition"),
    [(LEFT, "missed"), (ASKED, "confirmation"), (RATED, "rating")],
    ids=["left", "asked", "rated"],
)


@each_addition
@pytest.mark.parametrize("facts", [{}, UNANNOUNCED])
async def test_an_additional_notice_is_not_sent_to_who_has_not_announced_it(
    facts: dict[str, object], content: NoticeContent, addition: str
) -> None:
    async with FaultyBridge(facts=facts) as bridge, connected(bridge) as http:
        to = ElixirBridge(http, Line())
        await to.deliver(notice(content))
        await to.deliver(notice(content))

        assert [request.path for request in bridge.asked] == ["/api/business/b1"]


@each_addition
async def test_an_additional_notice_is_sent_to_who_announces_it_with_the_business_or_the_join(
    content: NoticeContent, addition: str
) -> None:
    with_join = Line()
    with_join.announced = {addition}
    announced: dict[str, object] = {"/api/business/b1": {"name": "Bistro", "additions": [addition]}}
    async with FaultyBridge(facts=announced) as bridge, connected(bridge) as http:
        await ElixirBridge(http, Line()).deliver(notice(content))
        await ElixirBridge(http, with_join).deliver(notice(content))

        assert [(each.method, each.path) for each in bridge.asked] == [
            ("GET", "/api/business/b1"),
            ("POST", "/api/notifications"),
            ("POST", "/api/notifications"),
        ]
        (told,) = bridge.accepted
        assert told.body["type"] == addition


@each_addition
async def test_a_bridge_that_does_not_say_what_it_knows_holds_nothing_back_for_long(
    content: NoticeContent, addition: str
) -> None:
    async with FaultyBridge(always=status(500)) as bridge, connected(bridge) as http:
        to = ElixirBridge(http, Line())
        for attempts in range(ATTEMPTS_TO_LEARN - 1):
            with pytest.raises(BridgeUnavailable):
                await to.deliver(replace(notice(content), attempts=attempts))
        await to.deliver(replace(notice(content), attempts=ATTEMPTS_TO_LEARN - 1))
        bridge.always = status(400)
        await to.deliver(notice(content))

        assert {request.method for request in bridge.asked} == {"GET"}


@each_addition
async def test_without_http_nobody_gets_an_additional_notice(
    content: NoticeContent, addition: str
) -> None:
    await ElixirBridge(None, Line()).deliver(notice(content))


async def test_a_notice_is_the_request_that_it_becomes() -> None:
    changed = notice(StatusChanged(at=START, status=Status.LIVE))
    request = request_of(changed)
    assert request is not None
    async with FaultyBridge() as bridge, connected(bridge, token="s3cret") as http:
        await ElixirBridge(http, Line()).deliver(changed)

        (told,) = bridge.accepted
        assert told == (request.method, request.path, "n1", "Bearer s3cret", request.body)


async def test_a_relayed_message_goes_over_the_socket() -> None:
    line = Line()
    async with FaultyBridge() as bridge, connected(bridge) as http:
        await ElixirBridge(http, line).deliver(notice(POSTED))

        assert (bridge.asked, len(line.relayed)) == ([], 1)


async def test_without_http_user_messages_are_relayed_nevertheless() -> None:
    line = Line()
    bridge = ElixirBridge(None, line)

    for content in (StatusChanged(at=START, status=Status.LIVE), POSTED):
        await bridge.deliver(notice(content))
    await bridge.wait_until_back()

    assert [relayed.content for relayed in line.relayed] == [POSTED]
    assert not bridge.is_away


async def test_without_a_token_none_is_sent() -> None:
    async with FaultyBridge() as bridge, connected(bridge) as http:
        await tell(http)

        assert bridge.accepted[0].token is None


# Retries.


@pytest.mark.parametrize(
    "fault",
    [status(500), status(503), status(408), status(429), CLOSE, RESET, GARBAGE, LOST_ANSWER],
    ids=["500", "503", "408", "429", "close", "reset", "garbage", "lost answer"],
)
async def test_what_may_succeed_later_is_tried_again_under_the_same_key(fault: Fault) -> None:
    async with FaultyBridge() as bridge, connected(bridge) as http:
        bridge.faults.extend([fault, fault])
        await tell(http)

        assert [(asked.key, asked.body) for asked in bridge.asked] == [("n1", BODY)] * 3
        assert len(bridge.accepted) == 1


@pytest.mark.parametrize("fault", [HANG, HALF_A_HEAD], ids=["hang", "half a head"])
async def test_an_answer_that_does_not_come_in_time_is_not_waited_for(fault: Fault) -> None:
    async with FaultyBridge() as bridge, connected(bridge, timeout_s=0.1) as http:
        bridge.faults.extend([fault, fault])
        await tell(http)

        assert len(bridge.asked) == 3


async def test_after_the_last_try_it_is_unavailable_and_the_pauses_have_doubled() -> None:
    clock = Hasty()
    async with FaultyBridge() as bridge, connected(bridge, clock, attempts=4) as http:
        bridge.always = status(500)
        with pytest.raises(BridgeUnavailable, match="HTTP 500"):
            await tell(http)

        assert len(bridge.asked) == 4
        assert clock.pauses == [0.2, 0.4, 0.8]


async def test_a_bridge_that_refuses_connections_is_unavailable() -> None:
    async with FaultyBridge() as bridge, connected(bridge) as http:
        await bridge.stop()

        with pytest.raises(BridgeUnavailable, match=str(bridge.port)):
            await tell(http)


@pytest.mark.parametrize("code", [400, 404, 405, 409, 410, 413, 415, 422])
async def test_another_4xx_is_refused_at_once_and_named(code: int) -> None:
    async with FaultyBridge() as bridge, connected(bridge) as http:
        bridge.always = status(code, {"code": "no_such_thing", "detail": "Ana's secret"})
        with pytest.raises(BridgeRefused) as refused:
            await tell(http)

        assert str(refused.value) == f"HTTP {code} no_such_thing"
        assert len(bridge.asked) == 1


@pytest.mark.parametrize("code", [301, 401, 403])
async def test_a_wrong_token_or_address_waits_for_the_operator(code: int) -> None:
    async with FaultyBridge() as bridge, connected(bridge) as http:
        bridge.always = status(code)
        with pytest.raises(BridgeUnavailable) as unavailable:
            await tell(http)

        assert unavailable.value.retry_after_s == MISCONFIGURED_PAUSE_S
        assert len(bridge.asked) == 1


@pytest.mark.parametrize("fault", [HUGE, NEVER_ENDS], ids=["huge", "never ends"])
async def test_a_success_counts_even_if_its_body_is_unreadable(fault: Fault) -> None:
    async with FaultyBridge() as bridge, connected(bridge, timeout_s=0.5) as http:
        bridge.faults.append(fault)
        await tell(http, "n1")
        await tell(http, "n2")

        assert [asked.key for asked in bridge.asked] == ["n1", "n2"]


async def test_a_short_retry_after_is_kept() -> None:
    clock = Hasty()
    async with FaultyBridge() as bridge, connected(bridge, clock) as http:
        bridge.faults.append(status(429, retry_after=1))
        await tell(http)

        assert clock.pauses == [1.0]


@pytest.mark.parametrize(
    ("said", "understood"),
    [
        ("30", 30.0),
        ("999999999", LONGEST_RETRY_AFTER_S),
        (format_datetime(START + timedelta(seconds=40), usegmt=True), 40.0),
        ("Tue, 01 Jan 2030 12:00:07", 7.0),
    ],
)
async def test_a_long_retry_after_is_left_to_the_outbox(said: str, understood: float) -> None:
    async with FaultyBridge() as bridge, connected(bridge, VirtualClock()) as http:
        bridge.always = status(503, retry_after=said)
        with pytest.raises(BridgeUnavailable) as unavailable:
            await tell(http)

        assert unavailable.value.retry_after_s == understood
        assert len(bridge.asked) == 1


@pytest.mark.parametrize(
    "said", ["soon", "-5", "", "Mon, 99 Xyz 2030 00:00:00 GMT", "Tue, 01 Jan 1980 00:00:00 GMT"]
)
async def test_an_invalid_retry_after_is_ignored(said: str) -> None:
    async with FaultyBridge() as bridge, connected(bridge) as http:
        bridge.faults.append(status(503, retry_after=said))
        await tell(http)

        assert len(bridge.asked) == 2


# The circuit breaker.


async def test_after_five_failures_in_a_row_only_the_health_is_checked_until_it_is_well() -> None:
    async with FaultyBridge() as bridge, connected(bridge, attempts=1) as http:
        bridge.unhealthy, bridge.always = True, status(500)
        for _ in range(FAILURES_TO_OPEN):
            with pytest.raises(BridgeUnavailable):
                await tell(http)
        with pytest.raises(BridgeUnavailable, match="away"):
            await tell(http)
        asked, away = len(bridge.asked), http.is_away
        bridge.unhealthy, bridge.always = False, None
        await http.back()
        await tell(http)

        assert (asked, away, http.is_away) == (FAILURES_TO_OPEN, True, False)
        assert bridge.health_asked >= 1


async def test_an_opening_circuit_ends_the_attempts_under_way() -> None:
    async with FaultyBridge() as bridge, connected(bridge, attempts=10) as http:
        bridge.unhealthy, bridge.always = True, status(500)
        with pytest.raises(BridgeUnavailable, match="away"):
            await tell(http)

        assert len(bridge.asked) == FAILURES_TO_OPEN


async def test_what_fails_while_the_bridge_is_well_is_left_to_the_outbox() -> None:
    async with FaultyBridge() as bridge, connected(bridge, attempts=10) as http:
        bridge.always = status(500)
        with pytest.raises(BridgeUnavailable, match="500"):
            await tell(http)

        assert len(bridge.asked) == FAILURES_TO_OPEN
        assert not http.is_away


async def test_half_open_one_failure_opens_it_again() -> None:
    async with FaultyBridge() as bridge, connected(bridge, attempts=1) as http:
        bridge.always = status(500)
        for _ in range(FAILURES_TO_OPEN):
            with pytest.raises(BridgeUnavailable):
                await tell(http)
        await http.back()
        bridge.unhealthy = True
        with pytest.raises(BridgeUnavailable, match="HTTP 500"):
            await tell(http)
        with pytest.raises(BridgeUnavailable, match="away"):
            await tell(http)

        assert http.is_away


@pytest.mark.parametrize("unhealthy", [False, True])
async def test_failing_requests_alone_never_make_it_away_and_others_wait_for_its_health(
    unhealthy: bool,
) -> None:
    async with HeldHealth() as bridge, connected(bridge, attempts=1) as http:
        bridge.always, bridge.unhealthy = status(500), unhealthy
        failing = [asyncio.create_task(tell(http)) for _ in range(FAILURES_TO_OPEN)]
        await bridge.asked_for_health.wait()
        bridge.always = None
        away_before = http.is_away
        other = asyncio.create_task(tell(http, "other"))
        await settle()
        bridge.answers_health.set()
        *_, outcome = await asyncio.gather(*failing, other, return_exceptions=True)

        assert not away_before
        assert http.is_away == unhealthy
        assert isinstance(outcome, BridgeUnavailable) == unhealthy
        assert [told.key for told in bridge.accepted] == ([] if unhealthy else ["other"])


async def test_closing_it_during_the_first_check_ends_those_who_wait_for_it() -> None:
    async with HeldHealth() as bridge, connected(bridge, attempts=1) as http:
        bridge.always = status(500)
        waiting = [asyncio.create_task(tell(http)) for _ in range(FAILURES_TO_OPEN + 1)]
        await bridge.asked_for_health.wait()
        await http.__aexit__()
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        bridge.answers_health.set()

        assert all(isinstance(outcome, Exception) for outcome in outcomes)


async def test_a_bridge_that_is_well_is_not_away_whatever_else_fails() -> None:
    clock = Hasty()
    async with FaultyBridge() as bridge, connected(bridge, clock, attempts=1) as http:
        bridge.always = status(500)
        for _ in range(2 * FAILURES_TO_OPEN):
            with pytest.raises(BridgeUnavailable, match="HTTP 500"):
                await tell(http)
            await http.back()
        bridge.always = None
        await tell(http)

        assert clock.pauses == []


async def test_while_the_health_is_checked_first_the_bridge_is_not_away_and_requests_wait() -> None:
    async with FaultyBridge() as bridge, connected(bridge, attempts=1, timeout_s=1.0) as http:
        bridge.always, bridge.health = status(500), HANG
        for _ in range(FAILURES_TO_OPEN - 1):
            with pytest.raises(BridgeUnavailable):
                await tell(http)
        telling = [asyncio.create_task(tell(http)) for _ in range(2)]
        await bridge.wait_until_looked(1)
        was_away = http.is_away
        outcomes = await asyncio.gather(*telling, return_exceptions=True)

        assert {type(outcome) for outcome in outcomes} == {BridgeUnavailable}
        assert (was_away, http.is_away) == (False, True)


@pytest.mark.parametrize("health", [status(404), status(401), DONE])
async def test_a_bridge_is_well_if_it_answers_at_all(health: Fault) -> None:
    async with FaultyBridge() as bridge, connected(bridge, attempts=1) as http:
        bridge.always, bridge.health = CLOSE, health
        for _ in range(FAILURES_TO_OPEN):
            with pytest.raises(BridgeUnavailable):
                await tell(http)
        bridge.always = None
        await http.back()
        await tell(http)

        assert len(bridge.accepted) == 1


async def test_a_success_between_failures_keeps_it_closed() -> None:
    async with FaultyBridge() as bridge, connected(bridge, attempts=1) as http:
        for _ in range(3):
            bridge.faults.extend([status(500)] * (FAILURES_TO_OPEN - 1) + [DONE])
            for _ in range(FAILURES_TO_OPEN - 1):
                with pytest.raises(BridgeUnavailable):
                    await tell(http)
            await tell(http)

        assert not http.is_away


@pytest.mark.parametrize("code", [422, 429])
async def test_a_bridge_that_answers_is_not_away(code: int) -> None:
    async with FaultyBridge() as bridge, connected(bridge, attempts=1) as http:
        bridge.always = status(code)
        for _ in range(2 * FAILURES_TO_OPEN):
            with pytest.raises((BridgeRefused, BridgeUnavailable)):
                await tell(http)

        assert not http.is_away


async def test_its_health_is_checked_ever_more_rarely() -> None:
    clock = Hasty()
    async with FaultyBridge() as bridge, connected(bridge, clock, attempts=1) as http:
        bridge.unhealthy, bridge.always = True, status(500)
        for _ in range(FAILURES_TO_OPEN):
            with pytest.raises(BridgeUnavailable):
                await tell(http)
        await bridge.wait_until_looked(8)

        assert clock.pauses[:7] == [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


@pytest.mark.parametrize("content", [None, "no certificate"])
async def test_certificates_that_cannot_be_read_are_named(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    async with FaultyBridge() as bridge:
        with pytest.raises(BridgeUnavailable, match="no certificates in SSL_CERT_FILE"):
            async with connected(bridge):
                pass


async def test_closing_it_while_it_is_away_leaves_nothing_behind() -> None:
    bridge = FaultyBridge(port=9)  # where nobody listens
    before = asyncio.all_tasks()
    async with connected(bridge, attempts=FAILURES_TO_OPEN) as http:
        for _ in range(2):
            with pytest.raises(BridgeUnavailable):
                await tell(http)
        away = http.is_away

    assert away
    assert asyncio.all_tasks() == before


# Facts.


@asynccontextmanager
async def knowing(
    files: Businesses | None = None,
    **given: Any,
) -> AsyncIterator[tuple[FaultyBridge, ElixirBusinesses, VirtualClock]]:
    clock = VirtualClock()
    async with FaultyBridge() as bridge, connected(bridge, clock, **given) as http:
        bridge.facts["/api/business/b1"] = {
            "businessId": "b1",
            "name": "Bistro",
            "language": "en",
            "facts": {"hours": "9-18", "seats": 40},
            "more": [1],
        }
        yield bridge, ElixirBusinesses(http, clock, files=files), clock


B1 = BusinessId("b1")
BISTRO = Business(
    business_id=B1,
    name="Bistro",
    language="en",
    facts={"more": "1", "hours": "9-18", "seats": "40"},
)


async def test_facts_are_cached_for_a_while() -> None:
    async with knowing() as (bridge, businesses, clock):
        first = await asyncio.gather(*(businesses.business(B1) for _ in range(5)))
        await clock.advance(BUSINESS_TTL_S - 1)
        await businesses.business(B1)
        asked = len(bridge.asked)
        await clock.advance(2)
        await businesses.business(B1)

        assert first == [BISTRO] * 5
        assert (asked, len(bridge.asked)) == (1, 2)


FILE = Business(
    business_id=B1,
    name="File",
    language="de",
    persona="a waiter",
    facts={"hours": "never", "phone": "021"},
    greeting="Servus!",
)


async def test_the_bridges_facts_win_by_topic_and_all_else_is_the_files() -> None:
    async with knowing(MemoryBusinesses([FILE])) as (_, businesses, _):
        assert businesses.last_read(B1) == FILE
        found = await businesses.business(B1)

        assert found == replace(
            FILE, name="Bistro", language="en", facts={**FILE.facts, **BISTRO.facts}
        )
        assert businesses.last_read(B1) == found


async def test_what_the_bridge_does_not_give_is_the_files() -> None:
    async with knowing(MemoryBusinesses([FILE])) as (bridge, businesses, _):
        bridge.facts["/api/business/b1"] = {"name": "Bistro"}

        assert await businesses.business(B1) == replace(FILE, name="Bistro")


@pytest.mark.parametrize("fault", [status(500), status(404), GARBAGE, status(200, {"no": "name"})])
async def test_without_the_bridges_facts_the_file_alone_counts(fault: Fault) -> None:
    async with knowing(MemoryBusinesses([FILE])) as (bridge, businesses, _):
        bridge.always = fault

        assert await businesses.business(B1) == FILE


async def test_where_the_file_has_changed_the_bridge_is_asked_again_soon() -> None:
    # It may read the same files, but a moment later.
    files = MemoryBusinesses([FILE])
    async with knowing(files) as (bridge, businesses, clock):
        await businesses.business(B1)
        files._businesses[B1] = replace(FILE, greeting="Hi!")
        found = [await businesses.business(B1) for _ in range(2)]
        assert [each.greeting for each in found if each] == ["Hi!", "Hi!"]
        assert len(bridge.asked) == 2

        bridge.facts["/api/business/b1"] = {"name": "Trattoria"}
        await clock.advance(CHANGED_TTL_S + 1)
        changed = await businesses.business(B1)
        assert changed is not None
        assert changed.name == "Trattoria"


async def test_404_means_unknown_and_is_cached_too() -> None:
    async with knowing() as (bridge, businesses, _):
        found = [await businesses.business(BusinessId("b9")) for _ in range(2)]
        reservations = await businesses.reservations(ANA)

        assert (found, reservations) == ([None, None], ())
        assert len(bridge.asked) == 2


@pytest.mark.parametrize(
    "fault",
    [status(500), status(422), RESET, GARBAGE, HUGE, status(200, {"name": 5}), status(200, [])],
    ids=["500", "422", "reset", "garbage", "huge", "wrong shape", "list"],
)
async def test_while_the_bridge_fails_the_facts_are_those_it_gave_last(fault: Fault) -> None:
    async with knowing() as (bridge, businesses, clock):
        await businesses.business(B1)
        bridge.always = fault
        await clock.advance(3_600)

        assert await businesses.business(B1) == BISTRO


@pytest.mark.parametrize("found", [{"no": "name"}, {"name": 5}, {"data": 1}, "text", 7])
async def test_facts_that_are_not_understood_are_not_known_with_one_warning(
    found: object, caplog: pytest.LogCaptureFixture
) -> None:
    async with knowing() as (bridge, businesses, _):
        bridge.always = status(200, found)

        assert [await businesses.business(B1) for _ in range(3)] == [None] * 3
        with pytest.raises(BridgeUnavailable, match="reservations"):
            await businesses.reservations(ANA)
    warnings = [record for record in caplog.records if record.levelname == "WARNING"]
    assert [record.__dict__["what"] for record in warnings] == ["business", "reservations"]
    assert not any(record.exc_info for record in warnings)


@pytest.mark.parametrize(
    ("given", "tag", "warnings"),
    [
        ("de-AT", "de-AT", []),
        ("ro_RO.UTF-8", "ro-RO", []),
        ("uk", "uk", []),
        ("", "ro", []),
        (None, "ro", []),
        ("pt_BR", "pt-BR", ["pt-BR"]),
        ("sr-Latn-RS", "sr-Latn-RS", ["sr-Latn-RS"]),
        ("Limba română", "Limba română", ["Limba română"]),
    ],
)
async def test_any_language_is_kept_as_it_is_and_one_without_notices_warned_of_once(
    given: str | None, tag: str, warnings: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    async with knowing() as (bridge, businesses, clock):
        bridge.facts["/api/business/b1"] = {"name": "Bistro", "language": given}
        before = businesses.last_read(B1)
        for _ in range(3):
            business = await businesses.business(B1)
            await clock.advance(BUSINESS_TTL_S + 1)

    assert before is None
    assert business is not None
    assert business.language == tag
    assert businesses.last_read(B1) == business
    logged = [r.__dict__ for r in caplog.records if r.levelname == "WARNING"]
    assert [(r["business"], r["language"]) for r in logged] == [("b1", each) for each in warnings]


@pytest.mark.parametrize(
    ("found", "facts"),
    [
        (TRATTORIA, {"phone": "+40 700 000 000", "opening_hours": "mon: 10-22; tue: 10-22"}),
        ({"data": {"id": 1, "name": "Trattoria Elixir", "city": "Iași"}}, {"city": "Iași"}),
        (
            {
                "businessName": "Trattoria Elixir",
                "facts": {"wifi": True, "menu": ["pizza", {"soup": 5}]},
                "rating": 4.5,
                "closed_on": None,
                "owner_id": 7,
                "owner": {"name": "Ion", "password_hash": "x", "userId": 3},
                "apiKey": "s3cret",
                "inserted_at": "2026-01-01T00:00:00Z",
                "additions": ["typing"],
            },
            {
                "wifi": "true",
                "menu": "pizza, soup: 5",
                "rating": "4.5",
                "owner": "name: Ion",
            },
        ),
    ],
    ids=["plain", "wrapped", "mixed"],
)
async def test_what_a_business_has_are_its_facts(found: object, facts: dict[str, str]) -> None:
    async with knowing() as (bridge, businesses, _):
        bridge.always = status(200, found)
        business = await businesses.business(B1)

        assert business == Business(business_id=B1, name="Trattoria Elixir", facts=facts)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (
            [{"id": 1, "date": "2026-12-01", "time": "20:00:00", "guests": 4,
              "customer_name": "Ana", "status": "confirmed"},
             {"id": 2, "status": "cancelled"}],
            Reservation(reservation_id="1", date="2026-12-01", time="20:00", guests=4, name="Ana"),
        ),
        (
            {"data": [{"id": "r1", "starts_at": "2026-12-01T20:00:00Z", "number_of_people": 4}]},
            Reservation(reservation_id="r1", date="2026-12-01", time="20:00 UTC", guests=4),
        ),
        (
            {"data": {"bookings": [{"date": "2026-12-01T20:00:00+02:00", "partySize": 4}]}},
            Reservation(reservation_id="", date="2026-12-01", time="20:00", guests=4),
        ),
    ],
)  # fmt: skip
async def test_reservations_are_read_in_any_natural_shape(
    found: object, expected: Reservation
) -> None:
    async with knowing() as (bridge, businesses, _):
        bridge.always = status(200, found)

        assert await businesses.reservations(ANA) == (expected,)


async def test_the_facts_of_an_ordinary_phoenix_application_are_known() -> None:
    application = PlainPhoenix(PlainSettings(wraps=True))
    async with running(application.app()) as address:
        http = ElixirHttp(f"http://{address}", clock=SystemClock(), jitter=lambda: 1.0)
        async with http:
            businesses = ElixirBusinesses(http, SystemClock())
            business = await businesses.business(B1)

            assert business is not None
            assert business.facts["opening_hours"] == "mon: 10-22; tue: 10-22"
            assert await businesses.reservations(ANA) == ()


async def test_a_request_for_facts_is_not_retried() -> None:
    async with knowing(timeout_s=0.1) as (bridge, businesses, _):
        bridge.always = HANG
        with pytest.raises(BridgeUnavailable):
            await businesses.business(B1)

        assert len(bridge.asked) == 1


async def test_cancelling_one_reader_does_not_cancel_the_shared_request() -> None:
    async with knowing() as (bridge, businesses, _):
        leaver = asyncio.create_task(businesses.business(B1))
        await bridge.wait_until(1, asked=True)
        stayer = asyncio.create_task(businesses.business(B1))
        await asyncio.sleep(0)
        leaver.cancel()

        assert await stayer == BISTRO


async def test_a_shared_request_that_fails_once_its_readers_have_gone_is_no_error() -> None:
    errors: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
    async with knowing(timeout_s=0.1) as (bridge, businesses, _):
        bridge.always = HANG
        others = asyncio.all_tasks()
        leaver = asyncio.create_task(businesses.business(B1))
        await bridge.wait_until(1, asked=True)
        leaver.cancel()
        await asyncio.wait({leaver})
        await asyncio.wait(asyncio.all_tasks() - others)
    del leaver
    gc.collect()

    assert errors == []


@pytest.mark.parametrize("in_an_object", [True, False])
async def test_reservations_are_those_of_the_user(in_an_object: bool) -> None:
    async with knowing() as (bridge, businesses, _):
        listed = [{"reservationId": 7, "date": "2030-05-14", "time": "19:30", "guests": 4}]
        path = "/api/business/b1/reservations?userId=ana"
        bridge.facts[path] = {"reservations": listed} if in_an_object else listed
        (reservation,) = await businesses.reservations(ANA)

        assert reservation == Reservation(
            reservation_id="7", date="2030-05-14", time="19:30", guests=4
        )


async def test_a_reply_over_the_limit_is_a_failure() -> None:
    async with FaultyBridge() as bridge, connected(bridge) as http:
        bridge.facts["/short"] = "x" * (MAX_REPLY - 2)
        bridge.facts["/long"] = "x" * (MAX_REPLY - 1)
        short = await http.get("/short")
        with pytest.raises(BridgeUnavailable, match="JSON"):
            await http.get("/long")

        assert short == bridge.facts["/short"]


async def test_the_health_check_says_what_is_wrong() -> None:
    async with FaultyBridge() as bridge, connected(bridge) as http:
        await http.check()
        bridge.unhealthy = True

        with pytest.raises(BridgeUnavailable, match="/health answers HTTP 503"):
            await http.check()
