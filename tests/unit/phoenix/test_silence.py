"""The wheel that ends silent sockets."""

import asyncio

from adapters.phoenix.limits import ConnectionLimits, Connections, SilenceWheel

TIMEOUT_S = 0.1


class Socket:
    heard = due = 0

    def __init__(self, wheel: SilenceWheel, *, goes_on: bool = False) -> None:
        self._wheel = wheel
        self._goes_on = goes_on
        self.asked = asyncio.Event()
        wheel.add(self)

    def on_silence(self) -> bool:
        self.asked.set()
        if not self._goes_on:
            self._wheel.remove(self)
        return self._goes_on


def wheel_of(timeout_s: float = TIMEOUT_S) -> SilenceWheel:
    return Connections(ConnectionLimits(idle_timeout_s=timeout_s)).silence


async def test_a_silent_socket_ends_after_its_time_and_one_that_is_heard_does_not() -> None:
    wheel = wheel_of()
    silent, talkative = Socket(wheel), Socket(wheel)
    began = asyncio.get_running_loop().time()

    while not silent.asked.is_set():
        talkative.heard = wheel.now
        await asyncio.sleep(0)

    assert asyncio.get_running_loop().time() - began >= TIMEOUT_S
    assert not talkative.asked.is_set()
    wheel.remove(talkative)


async def test_a_socket_that_goes_on_is_asked_again() -> None:
    wheel = wheel_of()
    waiting = Socket(wheel, goes_on=True)

    for _ in range(2):
        await waiting.asked.wait()
        waiting.asked.clear()

    wheel.remove(waiting)


async def test_a_socket_that_was_removed_is_not_asked() -> None:
    wheel = wheel_of()
    gone, silent = Socket(wheel), Socket(wheel)
    wheel.remove(gone)

    await silent.asked.wait()

    assert not gone.asked.is_set()


async def test_after_all_have_gone_the_next_one_has_its_time() -> None:
    wheel = wheel_of()
    await Socket(wheel).asked.wait()
    began = asyncio.get_running_loop().time()

    await Socket(wheel).asked.wait()

    assert asyncio.get_running_loop().time() - began >= TIMEOUT_S


async def test_one_that_ends_may_end_another_at_the_same_time() -> None:
    wheel = wheel_of()
    asked: list[str] = []

    class Pair:
        heard = due = 0

        def __init__(self, name: str) -> None:
            self._name = name
            self.other: Pair | None = None
            wheel.add(self)

        def on_silence(self) -> bool:
            asked.append(self._name)
            for each in (self, self.other):
                assert each is not None
                wheel.remove(each)
            return False

    one, two = Pair("one"), Pair("two")
    one.other, two.other = two, one
    late = wheel_of(2 * TIMEOUT_S)
    await Socket(late).asked.wait()

    assert len(asked) == 1
