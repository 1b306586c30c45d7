"""The topic is the business's, the audience the user's: nobody gets what is another customer's."""

import asyncio
import itertools
from collections import defaultdict
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from typing import Any, ClassVar, TypeVar

import uvloop
from hypothesis import HealthCheck, Phase
from hypothesis import settings as effort
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from tests.support.tokens import JWT, token
from tests.support.user import PATIENCE_S, Refused, User, user
from tests.support.wire import Payload, Product, product

T = TypeVar("T")
Customer = tuple[str, str]
_PLACES = [("b1", "ana"), ("b1", "dan"), ("b2", "ana"), ("b2", "dan"), ("b2", "eva")]
_BAD_TOKENS = st.sampled_from(
    ["none", "expired", "same name elsewhere", "another's", "coordinator's", "forged", "broken"]
)
_number = itertools.count()


EFFORT = effort(
    max_examples=25,
    stateful_step_count=40,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes minutes
    suppress_health_check=[HealthCheck.too_slow],
)


class Seat:
    """One socket of one customer, and all that it received."""

    def __init__(self, who: Customer, socket: User, closing: AsyncExitStack) -> None:
        self.who = who
        self.socket = socket
        self.closing = closing
        self.joined = False
        self.entries: dict[tuple[str, int], Payload] = {}
        self.own: set[str] = set()
        """The texts that were sent on this socket, to which they are not pushed."""
        self.since: dict[str, int] = defaultdict(int)
        """Session → the last seq that the socket had at its last join."""

    def take(self) -> None:
        """Record the pushes so far."""
        for event, payload in self.socket.pushes:
            if event in ("phx_close", "typing", "message_delta"):
                continue
            place = payload["sessionId"], payload["seq"]
            assert place not in self.entries, "told twice"
            self.entries[place] = payload
        self.socket.pushes.clear()


class Chats(RuleBasedStateMachine):
    """Customers of two businesses, with the same names in both, on several sockets each.

    Each proves who it is; others try to join as them, with tokens that do not say so.
    """

    runner: ClassVar[asyncio.Runner]
    server: ClassVar[Product]

    def __init__(self) -> None:
        super().__init__()
        example = next(_number)
        self.customers = [(business, f"{name}-{example}") for business, name in _PLACES]
        self.seats: list[Seat] = []
        self.intruders: list[Seat] = []
        """Sockets whose every join was refused."""
        self.sessions: dict[Customer, str] = {}
        self.said: dict[Customer, list[tuple[str, str]]] = defaultdict(list)
        """The model: author and text of every entry, in order."""
        self.texts = (f"text {number} of example {example}" for number in itertools.count())

    def run(self, doing: Awaitable[T]) -> T:
        async def within() -> T:
            return await doing

        return self.runner.run(within())

    def pick(self, number: int, *, joined: bool = True) -> Seat:
        fitting = [seat for seat in self.seats if seat.joined or not joined]
        return fitting[number % len(fitting)]

    def someone_joined(self) -> bool:
        return any(seat.joined for seat in self.seats)

    def bad_token(self, kind: str, who: Customer, number: int) -> str | None:
        """A token that does not name this customer, or not well."""
        business_id, user_id = who
        others = [other for other in self.customers if other != who]
        elsewhere = "b2" if business_id == "b1" else "b1"
        good = token(user_id, business_id)
        head, _, signature = good.rpartition(".")
        bad = {
            "none": None,
            "expired": token(user_id, business_id, exp=1),
            "same name elsewhere": token(user_id, elsewhere),
            "another's": token(*reversed(others[number % len(others)])),
            "coordinator's": token(user_id, business_id, role="coordinator"),
            "forged": f"{head}.{signature[::-1]}",
            "broken": good[number + 1 :],
        }
        return bad[kind]

    @rule(place=st.integers(0, 4), kind=_BAD_TOKENS, number=st.integers(0, 9))
    def intrude(self, place: int, kind: str, number: int) -> None:
        who = self.customers[place]
        if len(self.intruders) < 5:
            closing = AsyncExitStack()
            connecting = closing.enter_async_context(user(self.server.address, *who))
            self.intruders.append(Seat(who, self.run(connecting), closing))
        intruder = self.intruders[number % len(self.intruders)]
        bad = self.bad_token(kind, intruder.who, number)
        payload = {"token": bad} if bad is not None else {}
        attempts = [
            intruder.socket.join(**payload, lastSeq=0),
            intruder.socket.say("Let me in."),
            intruder.socket.request("history", {}),
            intruder.socket.request("refresh_token", {"token": token(*reversed(intruder.who))}),
        ]
        reasons = [self.reason(attempt) for attempt in attempts]
        assert reasons == ["unauthorized", *["unmatched topic"] * 3]

    @precondition(someone_joined)
    @rule(number=st.integers(0, 9), kind=_BAD_TOKENS)
    def refresh_badly(self, number: int, kind: str) -> None:
        seat = self.pick(number)
        bad = self.bad_token(kind, seat.who, number) or ""
        assert self.reason(seat.socket.request("refresh_token", {"token": bad})) == "unauthorized"

    @precondition(someone_joined)
    @rule(number=st.integers(0, 9))
    def refresh(self, number: int) -> None:
        seat = self.pick(number)
        self.run(seat.socket.request("refresh_token", {"token": token(*reversed(seat.who))}))

    def reason(self, doing: Awaitable[Payload]) -> str | None:
        """Return the reason for which it is refused; None: it is not."""
        try:
            self.run(doing)
        except Refused as refused:
            return str(refused.reason)
        return None

    @rule(place=st.integers(0, 4))
    def arrive(self, place: int) -> None:
        if len(self.seats) < 10:
            who, closing = self.customers[place], AsyncExitStack()
            connecting = closing.enter_async_context(user(self.server.address, *who))
            self.seats.append(Seat(who, self.run(connecting), closing))
            self.join(len(self.seats) - 1)

    @precondition(lambda self: self.seats)
    @rule(number=st.integers(0, 9))
    def join(self, number: int) -> None:
        seat = self.pick(number, joined=False)
        reply = self.run(seat.socket.join(lastSeq=0, token=token(*reversed(seat.who))))
        seat.joined = True
        seat.take()
        if reply["sessionId"] is not None:
            self.belongs(seat.who, reply["sessionId"])
            seat.since[reply["sessionId"]] = reply["seq"]

    @precondition(someone_joined)
    @rule(number=st.integers(0, 9))
    def leave(self, number: int) -> None:
        seat = self.pick(number)
        self.run(seat.socket.request("phx_leave", {}))
        seat.joined = False
        self.check(seat)

    @precondition(someone_joined)
    @rule(number=st.integers(0, 9))
    def say(self, number: int) -> None:
        seat, text = self.pick(number), next(self.texts)
        self.note(seat, text, self.run(seat.socket.say(text)))

    @precondition(someone_joined)
    @rule(number=st.integers(0, 9))
    def ask_for_human(self, number: int) -> None:
        seat, text = self.pick(number), next(self.texts)
        self.note(seat, text, self.run(seat.socket.ask_for_human(message=text)))

    @precondition(someone_joined)
    @rule(number=st.integers(0, 9))
    def end_live_chat(self, number: int) -> None:
        seat = self.pick(number)
        try:
            self.run(seat.socket.request("end_live_chat", {}))
        except Refused as refused:
            if refused.reason != "not_in_live_chat":
                raise

    @precondition(lambda self: self.sessions)
    @rule(number=st.integers(0, 9), by_name=st.booleans())
    def coordinator_speaks(self, number: int, by_name: bool) -> None:
        who, session_id = list(self.sessions.items())[number % len(self.sessions)]
        named = {"businessId": who[0], "userId": who[1]}
        addressed = named if by_name else {"sessionId": session_id}
        text = next(self.texts)
        body = {**addressed, "message": text, "coordinatorId": "maria"}
        answer = self.run(self.server.api.post("/api/agent-responses", json=body))
        if answer.status_code == 201:
            self.said[who].append(("coordinator", text))
        else:
            assert answer.json()["code"] == "session_closed"

    @precondition(lambda self: self.sessions)
    @rule(number=st.integers(0, 9), status=st.sampled_from(["live", "ai", "closed"]))
    def status_changes(self, number: int, status: str) -> None:
        session_id = list(self.sessions.values())[number % len(self.sessions)]
        path = f"/api/conversation-status/{session_id}"
        answer = self.run(self.server.api.put(path, json={"status": status}))
        assert answer.status_code in (200, 409)

    def note(self, seat: Seat, text: str, acknowledged: Payload) -> None:
        self.belongs(seat.who, acknowledged["sessionId"])
        self.said[seat.who].append(("user", text))
        seat.own.add(text)

    def belongs(self, who: Customer, session_id: str) -> None:
        """A session is one customer's."""
        assert all(its != session_id for other, its in self.sessions.items() if other != who)
        self.sessions[who] = session_id

    def check(self, seat: Seat) -> None:
        """Check that a socket has all of its customer's entries up to its last, and no others."""
        if seat.joined:
            self.run(self.fence(seat))
        seat.take()
        log = self.run(self.log_of(seat.who))
        for place, payload in seat.entries.items():
            assert place in log, "another customer's"
            assert payload.get("message", payload.get("status")) == log[place][1]

    async def fence(self, seat: Seat) -> None:
        """Wait until all earlier pushes have arrived."""
        await seat.socket.request("typing", {})

    async def log_of(self, who: Customer) -> dict[tuple[str, int], tuple[str, str]]:
        """Return author and text of every stored entry of the customer."""
        export = (await self.server.api.get(f"/api/users/{who[0]}/{who[1]}/export")).json()
        oldest_first = sorted(
            export["conversations"], key=lambda each: each["conversation"]["openedAt"]
        )
        return {
            (each["conversation"]["sessionId"], entry["seq"]): _words(entry)
            for each in oldest_first
            for entry in each["messages"]
        }

    def teardown(self) -> None:
        try:
            for session_id in self.sessions.values():  # then no answer is under way any more
                path = f"/api/conversation-status/{session_id}"
                self.run(self.server.api.put(path, json={"status": "closed"}))
            for who in self.customers:
                self.check_log(who)
            for seat in self.seats:
                if seat.joined:
                    self.check_nothing_is_missing(seat)
                self.check(seat)
            for intruder in self.intruders:
                self.check_nothing_was_heard(intruder)
        finally:
            for seat in [*self.seats, *self.intruders]:
                self.run(seat.closing.aclose())

    def check_nothing_was_heard(self, intruder: Seat) -> None:
        """Check that nothing was pushed: pushes sent earlier arrive before the reply."""
        assert self.reason(intruder.socket.request("typing", {})) == "unmatched topic"
        assert {event for event, _ in intruder.socket.pushes} <= {"phx_close"}

    def check_nothing_is_missing(self, seat: Seat) -> None:
        """Check that since its last join a socket has received all entries but its own messages."""
        session_id = self.sessions.get(seat.who)
        for (its, seq), (_, text) in self.run(self.log_of(seat.who)).items():
            if its == session_id and seq > seat.since[its] and text not in seat.own:
                seat.take()
                if (its, seq) not in seat.entries:
                    self.run(self.hear(seat, its, seq))

    async def hear(self, seat: Seat, session_id: str, seq: int) -> None:
        """Wait for an entry."""
        async with asyncio.timeout(PATIENCE_S):
            while (session_id, seq) not in seat.entries:
                await self.fence(seat)
                seat.take()

    def check_log(self, who: Customer) -> None:
        """Check that the stored log is the model's, without gaps."""
        log = self.run(self.log_of(who))
        said = [words for words in log.values() if words[0] in ("user", "coordinator")]
        seqs: dict[str, list[int]] = defaultdict(list)
        for session_id, seq in log:
            seqs[session_id].append(seq)
        assert said == self.said[who]
        assert all(each == list(range(1, len(each) + 1)) for each in seqs.values())


def _words(entry: dict[str, Any]) -> tuple[str, str]:
    if entry["kind"] == "status":
        return "status", entry["status"]
    return entry["author"], entry["message"]


def test_every_socket_gets_its_own_customers_conversation_and_no_others() -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        stack = AsyncExitStack()
        Chats.runner = runner
        Chats.server = runner.run(stack.enter_async_context(product(**JWT)))
        try:
            run_state_machine_as_test(Chats, settings=EFFORT)
        finally:
            runner.run(stack.aclose())
