"""Whole lives of conversations under faults: processes die, the store fails, hints get lost.

A seed is a life; what a test prints of it is enough to live it again.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from random import Random

import pytest

from application.ports import Toolbox
from domain.errors import AssistantFailed, Failure, Refusal
from domain.identity import Customer, customer
from domain.message import Author, Entry, Message, StatusChange
from domain.session import Session
from domain.status import Status
from tests.support.assistants import HANG, Act, ScriptedSteps, transfer
from tests.support.faults import FaultyStore, RandomHub
from tests.support.harness import App, User, harness

STEPS = 80


class Moody(ScriptedSteps):
    """An assistant that answers, delays, fails, hangs or requests a human at random, by a seed."""

    def __init__(self, random: Random, sleep: Callable[[float], Awaitable[None]]) -> None:
        async def think(_: Toolbox) -> None:
            await sleep(random.choice([0.01, 1.0, 20.0]))

        moods: list[list[Act]] = [
            ["Da."],
            [think, "Un ", think, "răspuns."],
            [AssistantFailed()],
            ["O jumătate", think, ValueError("a bug")],
            [HANG],
            [transfer(), think, "Vă transfer la un coleg."],
            ["Vă transfer la un coleg."],
        ]
        super().__init__(*random.choices(moods, weights=[4, 4, 1, 1, 1, 1, 1], k=60))


class Life:
    """One seed's life of three customers on two processes at a time."""

    def __init__(self, app: App, store: FaultyStore, seed: int) -> None:
        self.random = Random(seed)
        self.store = store
        self.first = app
        self.apps = [app, self.start_process()]
        self.customers = [customer("b1", "u1"), customer("b1", "u2"), customer("b2", "u1")]
        self.users: list[User] = []
        """All clients that ever joined, also those at processes that have ended."""
        self.acknowledged: dict[tuple[Customer, str], int] = {}

    def start_process(self) -> App:
        assistant = Moody(self.random, self.first.clock.sleep)
        hub = RandomHub(self.random.randrange(1_000))
        return self.first.another(assistant=assistant, hub=hub)

    async def say(self, user: User) -> None:
        message_id = f"m{self.random.randrange(12)}"  # often one that was used before
        posted = await user.say(f"Textul {message_id}", message_id)
        seq = self.acknowledged.setdefault((user.customer, message_id), posted.seq)
        assert posted.seq == seq

    async def join(self, user: User) -> None:
        self.users.append(user)
        await user.join()

    async def step(self) -> None:
        app = self.random.choice(self.apps)
        user = app.user(*self.random.choice(self.customers))
        ana = app.coordinator(self.random.choice(["ana", "dan", None]))
        acts: list[tuple[int, Callable[[], Awaitable[object]]]] = [
            (8, lambda: self.say(user)),
            (4, lambda: self.join(user)),
            (1, lambda: user.ask_for_human()),
            (1, lambda: user.end_live_chat()),
            (1, lambda: ana.speak(user, "Aici.")),
            (1, lambda: self.change(ana.change, user)),
            (3, lambda: app.sweep()),
            (1, lambda: self.restart(app)),
            (1, lambda: self.break_something()),
        ]
        weights, choices = zip(*acts, strict=True)
        (act,) = self.random.choices(choices, weights=weights)
        await act()

    async def change(self, change: Callable[..., Awaitable[Session]], user: User) -> None:
        session_id = await self.first.session_id(user.customer)
        await change(session_id, self.random.choice([Status.AI, Status.LIVE, Status.CLOSED]))

    async def restart(self, app: App) -> None:
        if app in self.apps:  # not while another step does the same
            self.apps[self.apps.index(app)] = self.start_process()
        await app.die()

    async def break_something(self) -> None:
        break_it = self.random.choice([self.store.fail, self.store.lose_answer])
        break_it(self.random.choice(["append", "append", "latest", "page"]))

    async def live(self) -> None:
        for _ in range(STEPS):
            acts = [self._try(self.step()) for _ in range(self.random.choice([1, 1, 3]))]
            together = asyncio.gather(*acts)
            await self.first.clock.advance(self.random.choice([0, 0.01, 0.3, 2, 30, 400]))
            await together

    async def _try(self, act: Awaitable[None]) -> None:
        try:
            await act
        except (Failure, Refusal, AssertionError) as error:
            if isinstance(error, AssertionError) and "has no session" not in str(error):
                raise

    async def heal(self) -> None:
        """Stop all faults, and let everything outstanding complete."""
        self.store.heal()
        for app in self.apps:
            await app.die()
        healthy = self.first.another(assistant=ScriptedSteps(["Iată."]))
        self.apps = [healthy]
        for _ in range(10):
            await healthy.clock.advance(100)
            await healthy.sweep()
            await healthy.quiet()


@pytest.mark.parametrize("seed", range(12))
async def test_whatever_happens_the_rules_hold(seed: int) -> None:
    store = FaultyStore(yields=seed % 3)
    async with harness(store=store) as app:
        life = Life(app, store, seed)
        await life.live()
        await life.heal()
        exports = [await app.privacy.export(who) for who in life.customers]
        logs = [log for export in exports for _, log in export]
        stored = Counter(
            (session.customer, message.message_id)
            for export in exports
            for session, log in export
            for message in log
            if isinstance(message, Message) and message.author is Author.USER
        )

        assert not any(
            session.needs_answer for export in exports for session, _ in export
        )  # rule 7
        assert set(life.acknowledged) <= set(stored)  # rule 1
        assert set(stored.values()) <= {1}  # rule 4
        for user in life.users:
            first = user.seqs[0] if user.seqs else 0
            assert user.seqs == list(range(first, first + len(user.seqs)))  # rule 5
        for log in logs:
            assert [entry.seq for entry in log] == list(range(1, len(log) + 1))
            assert _answered_twice(log) == []  # rules 6 and 7
            assert _out_of_turn(log) == []  # rule 2


def _answered_twice(log: list[Entry]) -> list[str]:
    answered = Counter(
        message_id
        for entry in log
        if isinstance(entry, Message)
        for message_id in entry.in_reply_to
    )
    return [message_id for message_id, times in answered.items() if times > 1]


def _out_of_turn(log: list[Entry]) -> list[Message]:
    """Return what the AI wrote while the status was waiting or live."""
    status, wrong = Status.AI, list[Message]()
    for entry in log:
        if isinstance(entry, StatusChange):
            status = entry.status
        elif entry.author is Author.AI and status is not Status.AI:
            wrong.append(entry)
    return wrong
