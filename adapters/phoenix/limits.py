"""The cost that one connection may have, and all of them together; each refusal counted and logged.

The protocols (`http_protocol`, `socket_protocol`), the endpoint and the long-poll transport ask
here. Times are seconds of the event loop's clock.
"""

import asyncio
import fcntl
import logging
import struct
import termios
from abc import abstractmethod
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, inf
from time import monotonic, perf_counter
from typing import Protocol

logger = logging.getLogger(__name__)

SLICE = 4096
"""The bytes of one connection that are processed before others get their turn: at most 682 frames,
the smallest of which has 6 bytes."""
SMALL_READ = 512
"""The bytes of a WebSocket that are processed at once: a user's message, or at most 85 frames."""
TURN_S = 0.005
"""The time for slices in one pass of the event loop."""
LINGER_S = 1.0
"""The time in which a client that is refused may read why."""
MAX_LINGERING = 128
"""The most refused connections that are waited for; beyond it they are reset."""
RESERVED_DESCRIPTORS = 64
"""File descriptors for all that is no client's connection: the store, the bridge, the model."""
LOG_EVERY_S = 60.0
"""Each limit's refusals are one log line in this time, with their number."""
FINAL_S = 1.0
"""The last part of every time-out; the event loop must have run during it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """The limits of one connection, of one address, and of a server."""

    max_head_bytes: int = 32 * 1024
    """Request line and headers; as many again for the trailers of a chunked body."""
    max_headers: int = 100
    max_pipelined: int = 16
    """Requests that wait for the response to an earlier one of the same connection."""
    head_timeout_s: float = 10.0
    """For a head, and again for the handshake of a WebSocket."""
    body_timeout_s: float = 30.0

    max_frame_bytes: int = 65_536
    """One WebSocket message, whole or in fragments."""
    frames_per_s: float = 20.0
    """Frames of any kind that a WebSocket may send in the long run."""
    first_frames: float = 300.0
    """Frames that a new WebSocket may send at once: who comes back often gains nothing by it."""
    max_burst_frames: float = 600.0
    """Frames that it may send at once, after some silence."""
    idle_timeout_s: float = 90.0
    """A WebSocket ends after receiving nothing for so long (docs/decisions/0034)."""
    close_timeout_s: float = 5.0

    stall_timeout_s: float = 30.0
    """A client that reads nothing of what waits for it is disconnected after this time."""
    max_waiting_bytes: int = 16 * 1024 * 1024
    """Bytes for and of all clients together that wait: unread, or unfinished."""
    max_connections: float = inf
    """Connections that are no open WebSocket."""
    max_connections_per_address: float = inf
    max_descriptors: float = inf
    """The process's limit of open files."""


class Holder(Protocol):
    """A connection of which bytes wait."""

    __slots__ = ()

    @abstractmethod
    def shed(self) -> None:
        """End it; its bytes are released at once, or shortly if it may still read why."""


class Connections:
    """The connections of one server: their number by address, and the bytes that wait in them."""

    def __init__(
        self,
        limits: ConnectionLimits = ConnectionLimits(),
        *,
        on_refusal: Callable[[str], None] = lambda limit: None,
        group_of: Callable[[str], str | None] = lambda address: address,
    ) -> None:
        """`on_refusal` gets the name of each limit that has refused.

        `group_of`: the group that an address counts in; None: in none, it is a proxy's.
        """
        self.limits = limits
        self._on_refusal = on_refusal
        self._group_of = group_of
        self._open = 0
        self._by_group: Counter[str] = Counter()
        self._lingering = 0
        self._held: dict[Holder, int] = {}
        self._held_bytes = 0
        self._log = _RefusalLog()
        self.turns = ReadTurns()
        """The connections of which more was read than is processed at once."""
        self.silence = SilenceWheel(self)
        """The open WebSockets, by when they were last heard."""

    @property
    def open(self) -> int:
        """The number of counted connections."""
        return self._open

    @property
    def held_bytes(self) -> int:
        """The bytes that wait."""
        return self._held_bytes

    # The number of connections.

    def admit(self, address: str, descriptor: int) -> str | None:
        """Count a connection; return the name of the limit that refuses it, if one does."""
        limits, group = self.limits, self._group_of(address)
        # The system hands out the lowest free number: a high one means that the others are taken.
        if descriptor >= limits.max_descriptors - RESERVED_DESCRIPTORS:
            return "descriptors"
        if self._open >= limits.max_connections:
            return "connections"
        if group is not None:
            if self._by_group[group] >= self._most_per_address:
                return "connections_per_address"
            self._by_group[group] += 1
        self._open += 1
        return None

    @property
    def _most_per_address(self) -> float:
        """No address gets more than half of the descriptors."""
        limits = self.limits
        half = (limits.max_descriptors - RESERVED_DESCRIPTORS) / 2
        return min(limits.max_connections_per_address, max(half, 1.0))

    def leave(self, address: str) -> None:
        """Count no more a connection that was admitted: it has ended, or became a WebSocket."""
        self._open -= 1
        group = self._group_of(address)
        if group is not None:
            self._by_group[group] -= 1
            if not self._by_group[group]:
                del self._by_group[group]

    def may_linger(self) -> bool:
        """Count a refused connection that is waited for, until `lingered`; False: reset it."""
        if self._lingering >= MAX_LINGERING:
            return False
        self._lingering += 1
        return True

    def lingered(self) -> None:
        """Count a refused connection no more."""
        self._lingering -= 1

    # The bytes that wait.

    def hold(self, holder: Holder, size: int) -> None:
        """Add to the bytes that wait in a connection, or subtract if negative.

        If all together exceed the limit, the connection with the most is shed.
        """
        held = self._held.get(holder, 0) + size
        self._held_bytes += size
        if held:
            self._held[holder] = held
        else:
            self._held.pop(holder, None)
        if size > 0 and self._held_bytes > self.limits.max_waiting_bytes:
            self._shed()

    def release(self, holder: Holder) -> None:
        """Subtract all that waits in a connection."""
        self._held_bytes -= self._held.pop(holder, 0)

    def _shed(self) -> None:
        largest = max(self._held, key=self._held.__getitem__)
        self.refused("waiting_bytes")
        largest.shed()

    # Refusals.

    def refused(self, limit: str) -> None:
        """Count a refusal, and log it unless one by this limit was logged a moment ago."""
        self._on_refusal(limit)
        self._log.add(limit)


class _RefusalLog:
    """At most one log line in a minute for each limit."""

    def __init__(self) -> None:
        self._next_at: dict[str, float] = {}
        self._unlogged: Counter[str] = Counter()

    def add(self, limit: str) -> None:
        self._unlogged[limit] += 1
        now = monotonic()  # some requests are refused in a thread of their own
        if now < self._next_at.get(limit, -inf):
            return
        self._next_at[limit] = now + LOG_EVERY_S
        extra = {"action": "limit_met", "limit": limit, "count": self._unlogged.pop(limit)}
        logger.warning("Clients were refused because of a limit", extra=extra)


class FrameBudget:
    """The frames that one socket may still send: a counter, and the time of its last refill."""

    __slots__ = ("_at", "_credits", "_limits", "_loop")

    def __init__(self, limits: ConnectionLimits, loop: asyncio.AbstractEventLoop) -> None:
        self._limits = limits
        self._loop = loop
        self._credits = min(limits.first_frames, limits.max_burst_frames)
        self._at = loop.time()

    def spend(self, credits: int) -> bool:
        """Count frames that were received; return False if they are too many."""
        self._credits -= credits
        return self._credits >= 0 or self._refill()

    def _refill(self) -> bool:
        now, limits = self._loop.time(), self._limits
        earned = (now - self._at) * limits.frames_per_s
        self._credits = min(self._credits + earned, limits.max_burst_frames)
        self._at = now
        return self._credits >= 0


class SilenceTimer:
    """A timer that calls `expired` after `timeout_s` without a `touch`.

    What a peer sent while the process stood still (stopped, or its machine suspended) is unread
    when the timers fire. So the last part of the time counts only if the event loop ran in it.
    """

    __slots__ = ("_due", "_expired", "_grace_s", "_is_last", "_loop", "_timer", "timeout_s",
                 "touched_at")  # fmt: skip

    def __init__(
        self, loop: asyncio.AbstractEventLoop, timeout_s: float, expired: Callable[[], None]
    ) -> None:
        self._loop = loop
        self._expired = expired
        self._timer: asyncio.TimerHandle | None = None
        self.start(timeout_s)

    def start(self, timeout_s: float) -> None:
        """Begin again, with another time-out."""
        self.cancel()
        self.timeout_s = timeout_s
        self._grace_s = min(FINAL_S, timeout_s / 2)
        self.touched_at = self._loop.time()
        self._is_last = False
        self._call_in(timeout_s - self._grace_s)

    def cancel(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def end(self) -> None:
        """Stop the timer for good, and drop the reference to its owner."""
        self.cancel()
        del self._expired

    def _call_in(self, seconds: float) -> None:
        self._due = self._loop.time() + seconds
        self._timer = self._loop.call_later(seconds, self._check)

    def _check(self) -> None:
        now = self._loop.time()
        left_s = self.touched_at + self.timeout_s - now
        if left_s > self._grace_s:
            self._is_last = False
            self._call_in(left_s - self._grace_s)
        elif self._is_last and now - self._due <= self._grace_s:
            self._timer = None
            self._expired()
        else:
            self._is_last = True
            self._call_in(self._grace_s)


class Heard(Protocol):
    """A socket on a `SilenceWheel`."""

    heard: int
    """The wheel's `now` when something was last received."""
    due: int
    """For the wheel."""

    @abstractmethod
    def on_silence(self) -> bool:
        """End the socket, which removes it; or return True, and its time begins again."""


class SilenceWheel:
    """Ends sockets from which nothing was received for `idle_timeout_s`: one timer for all.

    Its clock counts ticks, so a socket notes the time by one assignment. It stands still while the
    event loop does: what was sent meanwhile is unread when the timers fire. Each socket is looked
    at once in a time-out, and ends up to two ticks after its own.
    """

    def __init__(self, ledger: Connections) -> None:
        self._ledger = ledger
        self._timer: asyncio.TimerHandle | None = None
        self._slots: list[dict[Heard, None]] = []  # sets that keep the order
        self._open = 0
        self.now = 0

    def add(self, socket: Heard) -> None:
        """Count a socket's time from now."""
        if self._timer is None:
            timeout_s = self._ledger.limits.idle_timeout_s
            self._tick_s = min(FINAL_S, timeout_s / 4)
            # The tick in which it was heard has begun already.
            self._span = ceil(timeout_s / self._tick_s) + 1
            self._slots = [{} for _ in range(self._span + 1)]
            self._wait()
        self._open += 1
        socket.heard = self.now
        self._put(socket)

    def remove(self, socket: Heard) -> None:
        """Forget a socket that was added."""
        self._slots[socket.due % len(self._slots)].pop(socket, None)
        self._open -= 1
        if not self._open and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _put(self, socket: Heard) -> None:
        socket.due = socket.heard + self._span
        self._slots[socket.due % len(self._slots)][socket] = None

    def _wait(self) -> None:
        loop = asyncio.get_running_loop()
        self._due_at = loop.time() + self._tick_s
        self._timer = loop.call_later(self._tick_s, self._tick)

    def _tick(self) -> None:
        is_late = asyncio.get_running_loop().time() - self._due_at > self._tick_s
        self._wait()
        if is_late:
            return
        self.now += 1
        due = self._slots[self.now % len(self._slots)]
        while due:  # one that ends may end others, which are then no longer here
            socket, _ = due.popitem()
            if socket.heard + self._span <= self.now:
                if not socket.on_silence():
                    continue
                socket.heard = self.now
            self._put(socket)


class WriteStallMonitor:
    """Counts the bytes in the buffer of a transport, and sheds a client that does not read them.

    A protocol with a write limit of 0 makes one in `pause_writing`, and calls `stop` in
    `resume_writing` and `connection_lost`.
    """

    __slots__ = ("_deadline", "_holder", "_ledger", "_size", "_transport", "_undelivered")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        transport: asyncio.Transport,
        ledger: Connections,
        holder: Holder,
    ) -> None:
        self._transport = transport
        self._ledger = ledger
        self._holder = holder
        self._size = transport.get_write_buffer_size()
        self._undelivered = self._size + _unacknowledged(transport)
        self._deadline = SilenceTimer(loop, ledger.limits.stall_timeout_s, self._check)
        ledger.hold(holder, self._size)

    def stop(self) -> None:
        """Count nothing any more: the buffer is empty, or the client gone."""
        self._deadline.cancel()
        self._ledger.hold(self._holder, -self._size)
        self._size = 0

    def _check(self) -> None:
        size = self._transport.get_write_buffer_size()
        undelivered = size + _unacknowledged(self._transport)
        if undelivered >= self._undelivered:
            self._ledger.refused("stalled")
            self._holder.shed()
            return
        self._undelivered = undelivered
        self._deadline.start(self._deadline.timeout_s)
        self._ledger.hold(self._holder, size - self._size)
        self._size = size


def _unacknowledged(transport: asyncio.Transport) -> int:
    """Return the bytes that the system has not delivered: tcp(7), SIOCOUTQ.

    It asks for more only when a third of its buffer, which can be megabytes, is free again.
    """
    opened = transport.get_extra_info("socket")
    try:
        (waiting,) = _INT.unpack(fcntl.ioctl(opened.fileno(), termios.TIOCOUTQ, bytes(_INT.size)))
        return int(waiting)
    except OSError:  # a system without it
        return 0


_INT = struct.Struct("i")


class ReadTurns:
    """The connections that wait to be processed: a slice of each in turn, for a while in a pass.

    So a thousand sockets that all send what they may delay small reads by one pass, no more.
    """

    def __init__(self) -> None:
        self._queue: deque[FairReader] = deque()
        self._is_scheduled = False

    def add(self, reader: "FairReader") -> None:
        """Queue a connection behind those that wait."""
        self._queue.append(reader)
        self._schedule()

    def _schedule(self) -> None:
        if self._queue and not self._is_scheduled:
            self._is_scheduled = True
            asyncio.get_running_loop().call_soon(self._run)

    def _run(self) -> None:
        until, queue = perf_counter() + TURN_S, self._queue
        self._is_scheduled = False
        try:
            while queue and perf_counter() < until:
                queue.popleft().step()  # which adds it again, if more of it waits
        finally:
            self._schedule()


class FairReader:
    """Feeds the bytes of one connection in slices, in turn with other connections.

    uvloop reads up to 8 MB of one connection in a pass. While slices wait, nothing is read.
    A protocol passes its `data_received` on to `receive`, unless the data is small and nothing
    waits, pauses and resumes here instead of on the transport, and calls `end` when it ends.
    """

    __slots__ = ("_at", "_feed", "_holder", "_is_scheduled", "_ledger", "_rest", "_transport",
                 "is_paused")  # fmt: skip

    def __init__(
        self,
        ledger: Connections,
        holder: Holder,
        transport: asyncio.Transport,
        feed: Callable[[bytes], None],
    ) -> None:
        self._ledger = ledger
        self._holder = holder
        self._transport = transport
        self._feed = feed
        self._rest = b""
        self._at = 0
        self.is_paused = False
        """True between `pause_reading` and `resume_reading`."""
        self._is_scheduled = False

    @property
    def is_waiting(self) -> bool:
        """True if some bytes were received and not fed yet."""
        return bool(self._rest)

    def receive(self, data: bytes) -> None:
        """Keep what was read until this connection has its turn."""
        rest = self._rest[self._at :] + data if self._rest else data
        self._keep(rest)
        self._transport.pause_reading()
        self._go_on()

    def pause_reading(self) -> None:
        """Feed nothing and read nothing until `resume_reading`."""
        self.is_paused = True
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Feed what waits, then read on."""
        self.is_paused = False
        self._go_on()

    def drop(self) -> None:
        """Forget what waits."""
        self._keep(b"")

    def take(self) -> bytes:
        """Forget what waits, and return it."""
        waiting = self._rest[self._at :]
        self.drop()
        return waiting

    def end(self) -> None:
        """Forget what waits, and drop the references to the protocol; nothing more is received."""
        self.drop()
        self.is_paused = True  # by a `step` that this ends: another protocol reads on, or none
        del self._holder, self._feed

    def _keep(self, rest: bytes) -> None:
        more = len(rest) - len(self._rest)
        self._rest = rest
        self._at = 0
        if more:
            self._ledger.hold(self._holder, more)

    def step(self) -> None:
        """Feed one slice; called by `ReadTurns`."""
        self._is_scheduled = False
        if self.is_paused:
            return
        start = self._at
        piece = self._rest[start : start + SLICE]
        self._at += SLICE
        if self._at >= len(self._rest):
            self.drop()
        try:
            if piece:
                self._feed(piece)
        except BaseException:
            self._transport.abort()  # as uvloop does when `data_received` fails
            raise
        finally:
            self._go_on()

    def _go_on(self) -> None:
        if self.is_paused or self._is_scheduled:
            return
        if self._rest:
            self._is_scheduled = True
            self._ledger.turns.add(self)
        else:
            self._transport.resume_reading()
