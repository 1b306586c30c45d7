"""Many writers, one log: the warm copy is an economy, the claim of a seq the only lock."""

import asyncio
import sys

import pytest

from application import session_log as conversations
from application.ports import RECENT
from domain.errors import SeqTaken, StorageUnavailable
from domain.message import Author
from domain.status import Status
from tests.support.assistants import HANG, PAUSE, ScriptedSteps
from tests.support.faults import FaultyStore
from tests.support.harness import harness


async def test_a_warm_conversation_is_not_read_again() -> None:
    store = FaultyStore()
    async with harness(store=store, turn_quiet_ms=0) as app:
        user = app.user()
        await user.say("Unu")
        await app.settle()
        reads = store.calls["latest"]
        for _ in range(10):
            await user.say("Încă ceva")
            await app.settle()

        assert store.calls["latest"] == reads == 1
        assert store.calls["append"] == 22


async def test_the_coldest_conversation_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversations, "MAX_CACHED_SESSIONS", 3)
    store = FaultyStore()
    async with harness(ScriptedSteps([HANG]), store) as app:
        users = [app.user("b1", f"u{number}") for number in range(4)]
        for user in users[:3]:
            await user.say("Bună!")
        await users[0].say("Eu sunt iar cald")
        await users[3].say("Bună!")
        reads = store.calls["latest"]
        await users[0].say("Nu se citește")
        warm = store.calls["latest"] - reads
        await users[1].say("Se citește")
        cold = store.calls["latest"] - reads

        assert (warm, cold) == (0, 1)


MIB = 1024 * 1024


async def test_warm_conversations_are_bounded_in_bytes_however_many_and_long_they_are() -> None:
    store = FaultyStore()
    async with harness(store=store, turn_quiet_ms=0, session_cache_mib=1) as app:
        for number in range(30):
            user = app.user("b1", f"u{number}")
            for _ in range(25):
                await user.say("🙂" * 8_000)
                await app.settle()
        log = app.session_log
        reads = store.calls["latest"]
        await user.say("Se știe")
        warm = store.calls["latest"] - reads
        await app.user("b1", "u0").say("Se citește")

        assert 0 < log._cache.bytes < 2 * MIB
        assert log._cache.bytes == sum(cached.bytes for cached, _ in log._cache._items.values())
        assert (warm, store.calls["latest"] - reads) == (0, 1)


@pytest.mark.parametrize("texts", [["x" * 8_000], ["Bună!"], ["ș" * 3_000, "🙂" * 700, "da"]])
async def test_the_bytes_of_a_warm_conversation_are_those_that_its_entries_take(
    texts: list[str],
) -> None:
    async with harness(turn_quiet_ms=0) as app:
        user = app.user()
        for _ in range(20):
            for text in texts:
                await user.say(text)
                await app.settle()
        cached = await app.session_log.current(user.customer)
        assert cached is not None
        counted = cached.bytes
        app.session_log.forget(user.customer)
        read = await app.session_log.current(user.customer)
        assert read is not None
        taken = sum(sys.getsizeof(entry.text) for entry in cached.recent)

        assert taken < counted < taken + 1_000 * (len(cached.recent) + 1)
        assert read.bytes <= counted


async def test_a_turn_whose_conversation_was_evicted_meanwhile_is_stored_and_pushed() -> None:
    assistant = ScriptedSteps(["Da, ", PAUSE, "sigur."])
    async with harness(assistant, session_cache_mib=1) as app:
        user = app.user()
        await user.join()
        await user.say("Bună!")
        await app.quiet()
        for number in range(40):
            await app.user("b2", f"u{number}").say("🙂" * 8_000)
        evicted = app.session_log._cache.pop(user.customer) is None
        assistant.go()
        await app.settle()
        await user.say("Și mâine?")
        for _ in range(41):  # the others' turns go on, too
            assistant.go()
        await app.quiet()

        assert evicted
        assert user.words == ["Da, sigur.", "Da, sigur."]
        assert user.seqs == [2, 4]  # its own messages are not pushed to it


async def test_what_another_process_wrote_is_seen_at_the_conflict() -> None:
    async with harness() as app:
        user, elsewhere = app.user(), app.another()
        await user.say("Unu")
        await elsewhere.user().say("Doi")
        await user.say("Trei")

        assert await app.texts(user.customer, Author.USER) == ["Unu", "Doi", "Trei"]


async def test_the_view_of_a_turn_has_what_another_process_wrote() -> None:
    assistant = ScriptedSteps()
    async with harness(assistant) as app:
        user = app.user()
        await user.say("Unu")
        await app.another().user().say("Doi")
        await user.say("Trei")
        await app.clock.advance(0.3)

        assert ["Unu", "Doi", "Trei"] in assistant.asked


@pytest.mark.parametrize("processes", [1, 4])
async def test_thirty_two_writers_leave_one_log_without_gaps(processes: int) -> None:
    store = FaultyStore(yields=1)
    async with harness(ScriptedSteps([HANG]), store) as app:
        apps = [app, *(app.another() for _ in range(processes - 1))]
        users = [apps[number % processes].user() for number in range(32)]
        posted = await asyncio.gather(
            *(user.say(f"Mesajul {number}") for number, user in enumerate(users))
        )
        for other in apps[1:]:
            await other.die()
        log = await app.stored(users[0].customer)

        assert sorted(post.seq for post in posted) == list(range(1, 33))
        assert [entry.seq for entry in log] == list(range(1, 33))
        assert {post.session_id for post in posted} == {await app.session_id(users[0].customer)}


async def test_writers_and_coordinators_at_once_leave_a_lawful_log() -> None:
    store = FaultyStore(yields=2)
    async with harness(store=store, turn_quiet_ms=0) as app:
        apps = [app, app.another(), app.another()]
        user = app.user()
        await user.say("Bună!")
        await asyncio.gather(
            *(process.user().say(f"Mesajul {number}") for number in range(5) for process in apps),
            *(process.coordinator(f"c{n}").speak(user, "Aici") for n, process in enumerate(apps)),
            app.coordinator("c9").take_over(user),
        )
        await app.settle()
        log = await app.stored(user.customer)
        head = await app.head(user.customer)

        assert [entry.seq for entry in log] == list(range(1, head.seq + 1))
        assert head.epoch == sum(entry.text == "" for entry in log)
        assert head.status is Status.LIVE


async def test_endless_conflicts_end_in_an_error() -> None:
    class Contested(FaultyStore):
        """A store in which another writer always claims the seq first."""

        async def append(self, draft: object, due_at: object) -> None:
            self.calls["append"] += 1
            raise SeqTaken

    store = Contested()
    async with harness(store=store) as app:
        with pytest.raises(StorageUnavailable):
            await app.user().say("Bună!")

        assert store.calls["append"] == conversations.MAX_CONFLICTS


async def test_the_memory_of_a_conversation_is_bounded() -> None:
    async with harness(turn_quiet_ms=0, view_tokens=500) as app:
        user = app.user()
        for _ in range(100):
            await user.say("Bună!")
            await app.settle()
        known = await app.session_log.current(user.customer)

        assert known is not None
        assert RECENT <= len(known.recent) <= 2 * RECENT
        assert [entry.seq for entry in known.recent] == list(
            range(known.session.seq - len(known.recent) + 1, known.session.seq + 1)
        )


async def test_a_slow_read_does_not_bring_an_older_session_back() -> None:
    store = FaultyStore()
    async with harness(store=store) as app:
        user = app.user()
        await user.join()
        await user.say("Vechi")
        await app.quiet()
        await app.coordinator().close(user)
        hold = store.hold_answer("latest")
        reading = asyncio.create_task(app.session_log.reload(user.customer))
        await hold.reached.wait()
        await user.say("Nou")
        hold.release()
        await reading
        await app.quiet()

        assert user.words[-1] == "Răspuns."
        assert user.session_id == await app.session_id(user.customer)
