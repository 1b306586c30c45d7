"""Several workers are one server, whatever becomes of each of them."""

import asyncio
import json
import os
import resource
import signal
import socket
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import msgspec
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from websockets.exceptions import ConnectionClosed, WebSocketException

from entrypoints.settings import Settings
from entrypoints.worker_folder import Worker
from entrypoints.workers import Assignment
from tests.support.poller import Poller
from tests.support.process import ROOT, ServerProcess, command, server
from tests.support.user import User, user

AT_ONCE = {"TURN_QUIET_MS": "0", "SCRIPTED_DELAY_MS": "0", "STORE": "sqlite"}
TWO = {"WORKERS": "2", **AT_ONCE}
SOCKETS = 12
"""So many connections are not all with one of two workers: that has a chance of 1 in 2,000."""

KEPT = 6
"""So many connections are kept open by clients that come again."""


def children(pid: int) -> list[int]:
    """Return the processes that a process has started, and that run."""
    return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


async def until(condition: Callable[[], bool]) -> None:
    """Return once the condition holds; the system tells nobody of the lives of its processes."""

    def wait() -> None:
        while not condition():
            time.sleep(0.05)

    await asyncio.to_thread(wait)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServerProcess]:
    """A server with two workers, which its tests leave as they have found it."""
    async with server(tmp_path_factory.mktemp("shared"), **TWO) as running:
        yield running


of_the_shared = pytest.mark.asyncio(loop_scope="module")


@asynccontextmanager
async def users(address: str, count: int, *, same: bool = False) -> AsyncIterator[list[User]]:
    """Connect and join users, one after the other: what waits, any worker may accept."""
    async with AsyncExitStack() as stack:
        found = []
        for each in ["u1" if same else f"u{number}" for number in range(count)]:
            found.append(await stack.enter_async_context(user(address, user_id=each)))
            await found[-1].join()
        yield found


async def ready(running: ServerProcess) -> dict[str, Any]:
    """Return the readiness of a server, over a new connection."""
    async with httpx.AsyncClient(timeout=20, verify=False) as http:
        report: dict[str, Any] = (await http.get(f"http://{running.address}/health/ready")).json()
    return report


async def metric(running: ServerProcess, sample: str) -> float:
    """Return the value of a sample in the metrics."""
    async with httpx.AsyncClient(timeout=20, verify=False) as http:
        text = (await http.get(f"http://{running.address}/metrics")).text
    [value] = [
        line.rpartition(" ")[2] for line in text.splitlines() if line.startswith(f"{sample} ")
    ]
    return float(value)


async def is_open(customer: User) -> bool:
    """Return whether a socket answers."""
    try:
        await customer.request("history", {})
    except ConnectionClosed:
        return False
    return True


@of_the_shared
async def test_a_message_is_pushed_to_the_users_sockets_on_all_workers(
    shared: ServerProcess,
) -> None:
    async with users(shared.address, SOCKETS, same=True) as us:
        await us[0].say("Bună!", messageId="m1")
        answers = [await each.wait_for("new_message", inReplyTo=["m1"]) for each in us]
        asked = [await each.wait_for("user_message") for each in us[1:]]

        workers = len(children(shared.pid))

    assert workers == 2
    assert len({answer["responseId"] for answer in answers}) == 1
    assert {each["message"] for each in asked} == {"Bună!"}


@pytest.mark.parametrize(
    ("number", "code"),
    [
        pytest.param(signal.SIGKILL, -signal.SIGKILL, marks=pytest.mark.nodes),
        (signal.SIGTERM, 0),
    ],
    ids=["kill", "stop"],
)
async def test_a_worker_that_ends_alone_is_started_again_and_the_others_go_on(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    async with server(tmp_path, **TWO) as running, users(running.address, SOCKETS) as us:
        before = children(running.pid)
        os.kill(before[0], number)
        await until(lambda: before[0] not in children(running.pid))
        went_on = [await is_open(each) for each in us]
        await until(lambda: len(children(running.pid)) == 2)
        while (report := await ready(running))["workers"]["ready"] < 2:
            pass
        async with users(running.address, SOCKETS) as others:
            answered = [await is_open(each) for each in others]
        running.signal(signal.SIGTERM)
        ended = await running.end()

    lines = [json.loads(line) for line in ended.log.splitlines()]
    [died] = [line for line in lines if line["action"] == "worker_died"]
    assert set(went_on) == {True, False}
    assert all(answered)
    assert report["status"] == "ok"
    assert died["exit_code"] == code
    assert ended.code == 0


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGTERM,
        pytest.param(signal.SIGINT, marks=pytest.mark.nodes),
        pytest.param(signal.SIGHUP, marks=pytest.mark.nodes),
    ],
    ids=lambda sig: sig.name,
)
async def test_a_signal_drains_all_workers(tmp_path: Path, number: signal.Signals) -> None:
    async with server(tmp_path, **TWO) as running, users(running.address, SOCKETS) as us:
        running.signal(number)
        codes = []
        for each in us:
            with pytest.raises(ConnectionClosed) as closed:
                await each.wait_for("anything")
            codes.append(closed.value.rcvd.code if closed.value.rcvd is not None else None)
        ended = await running.end()

    assert set(codes) == {1012}
    assert ended.code == 0
    actions = [json.loads(line)["action"] for line in ended.log.splitlines()]
    assert [action for action in actions if action != "joined"] == ["server_stopped"]


async def test_an_answer_in_progress_is_finished_when_all_workers_drain(tmp_path: Path) -> None:
    slow = {**TWO, "SCRIPTED_DELAY_MS": "25"}
    async with server(tmp_path, **slow) as running, users(running.address, 2) as us:
        for each in us:
            await each.say("Bună!", messageId="m1")
            await each.wait_for("typing")  # the turn has begun
        running.signal(signal.SIGTERM)
        answers = [await each.wait_for("new_message", inReplyTo=["m1"]) for each in us]
        ended = await running.end()

    assert len(answers) == 2
    assert ended.code == 0
    assert "drain_cut_short" not in ended.log


async def test_a_second_sigint_kills_all_workers(tmp_path: Path) -> None:
    never = {**TWO, "SCRIPTED_DELAY_MS": "10000", "DRAIN_S": "600"}
    async with server(tmp_path, **never) as running, users(running.address, 1) as us:
        await us[0].say("Bună!")
        await us[0].wait_for("typing")  # the turn has begun
        running.signal(signal.SIGINT)
        while (await ready(running))["status"] != "draining":
            pass
        running.signal(signal.SIGINT)
        ended = await running.end()

    assert ended.code == -signal.SIGINT


async def test_workers_drain_and_end_when_their_parent_was_killed(tmp_path: Path) -> None:
    async with server(tmp_path, **TWO) as running, users(running.address, SOCKETS) as us:
        running.signal(signal.SIGKILL)
        codes = []
        for each in us:
            with pytest.raises(ConnectionClosed) as closed:
                await each.wait_for("anything")
            codes.append(closed.value.rcvd.code if closed.value.rcvd is not None else None)
        ended = await running.end()  # of the log too, which the workers have open

    assert set(codes) == {1012}
    assert ended.code == -signal.SIGKILL


class Visit(NamedTuple):
    """An attempt of a client to be served over a new connection, at these times."""

    began: float
    ended: float
    error: Exception | None


class Visitors:
    """Clients that come one after the other, whether or not those before were served."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._ends = asyncio.Event()
        self.over_sockets: list[Visit] = []
        self.over_http: list[Visit] = []
        self.over_kept: list[Visit] = []
        """Each of these opens a polled socket, over a connection that was there before."""

    async def come(self) -> None:
        """Let them come until `end`."""
        async with asyncio.TaskGroup() as group:
            for _ in range(KEPT):
                group.create_task(self._come_again())
            while not self._ends.is_set():
                group.create_task(self.visit_socket())
                group.create_task(self._visit(self.over_http, self._get()))
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._ends.wait(), 0.05)
        await self.visit_socket()
        await self._visit(self.over_http, self._get())

    def end(self) -> None:
        """Let none come any more, but a last one when those before have left."""
        self._ends.set()

    async def _come_again(self) -> None:
        base_url = f"http://{self._address}"
        async with httpx.AsyncClient(base_url=base_url, timeout=20, verify=False) as http:
            while not self._ends.is_set():
                await self._visit(self.over_kept, self._open(http))
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._ends.wait(), 0.2)
            await self._visit(self.over_kept, self._open(http))

    async def visit_socket(self) -> None:
        """Join once, and be answered."""
        await self._visit(self.over_sockets, self._join())

    async def _visit(self, visits: list[Visit], call: Coroutine[Any, Any, None]) -> None:
        began, error = time.monotonic(), None
        try:
            await call
        except (OSError, WebSocketException, httpx.HTTPError) as failed:
            error = failed
        visits.append(Visit(began, time.monotonic(), error))

    async def _join(self) -> None:
        async with user(self._address, user_id="visitor") as visitor:
            await visitor.join()
            await visitor.request("history", {})

    async def _open(self, http: httpx.AsyncClient) -> None:
        (await http.get("/socket/longpoll?vsn=2.0.0")).raise_for_status()

    async def _get(self) -> None:
        reader, writer = await asyncio.open_connection(*self._address.split(":"))
        writer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
        if not answer.startswith(b"HTTP/1.1 200 "):
            raise ConnectionError(answer)


def kept_waiting(visits: Sequence[Visit]) -> float:
    """Return the longest time for which a client was refused, or waited while others were served.

    One that was refused counts until a client that came later was served; one that was served
    counts from then on, if it was overtaken. A machine that is slow for all lets none overtake.
    """
    served = [visit for visit in visits if visit.error is None]
    waits = []
    for visit in visits:
        next_served = min(each.ended for each in served if each.began >= visit.began)
        waits.append(next_served - visit.began if visit.error else visit.ended - next_served)
    return max(waits)


async def test_while_all_workers_are_replaced_no_client_is_refused_for_a_second(
    tmp_path: Path,
) -> None:
    many = {"LIMIT_SOCKETS": "2000", "LIMIT_SOCKETS_PER_ADDRESS": "2000"}
    answering = {**TWO, **many, "SCRIPTED_DELAY_MS": "100"}
    async with server(tmp_path, **answering) as running, users(running.address, SOCKETS) as us:
        before = children(running.pid)
        for each in us[:KEPT]:  # what the first worker that leaves has to finish
            await each.say("Bună!")
        visitors = Visitors(running.address)
        coming = asyncio.create_task(visitors.come())

        async def reconnect(each: User) -> None:
            with pytest.raises(ConnectionClosed) as closed:
                await each.wait_for("anything")
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1012
            await visitors.visit_socket()

        running.signal(signal.SIGUSR2)
        await asyncio.gather(*map(reconnect, us))
        await until(lambda: not set(before) & set(children(running.pid)))
        visitors.end()
        await coming
        report = await ready(running)
        running.signal(signal.SIGTERM)
        ended = await running.end()

    kinds = (visitors.over_sockets, visitors.over_http, visitors.over_kept)
    visits = [visit for visits in kinds for visit in visits]
    errors = [visit.error for visit in visits if visit.error is not None]
    # Who comes at the last moment is disconnected like those before.
    disconnected = (ConnectionClosed, httpx.TransportError)
    assert [error for error in errors if not isinstance(error, disconnected)] == []
    assert max(map(kept_waiting, kinds)) < 1
    assert max(visit.ended - visit.began for visit in visits) < 5
    assert report["workers"] == {"ready": 2, "wanted": 2}
    assert ended.code == 0


BAD = [
    (
        {"ALLOWED_ORIGINS": "http://[:::1]"},
        2,
        "Error: ALLOWED_ORIGINS: 'http://[:::1]' is no origin",
    ),
    ({"STORE": "memory"}, 2, "Error: STORE=memory keeps conversations in one process"),
    ({"WORKERS": "0"}, 2, "Error: WORKERS is '0', but must be"),
    ({"SQLITE_PATH": "/dev/null/x"}, 1, "Error: "),
]


@pytest.mark.parametrize(("environment", "code", "complaint"), BAD, ids=lambda value: "")
def test_a_bad_setting_is_one_line(
    tmp_path: Path, environment: dict[str, str], code: int, complaint: str
) -> None:
    ran = command(tmp_path, "serve", "--port", "0", **{**TWO, **environment})

    assert ran.returncode == code
    assert ran.stderr.startswith(complaint)
    assert len(ran.stderr.splitlines()) == 1


def test_no_worker_starts_on_a_store_of_a_later_version(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "later.sqlite3")) as store:
        store.execute("PRAGMA user_version = 99")

    ran = command(tmp_path, "serve", "--port", "0", **TWO, SQLITE_PATH="later.sqlite3")

    assert ran.returncode == 1
    assert ran.stderr.startswith("Error: ")
    assert "version 99" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


def test_a_port_that_is_taken_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = command(tmp_path, "serve", "--port", str(taken.getsockname()[1]), **TWO)

    assert ran.returncode == 1
    assert ran.stderr.startswith("Error: cannot listen on 127.0.0.1 port")
    assert len(ran.stderr.splitlines()) == 1


async def test_a_polled_socket_is_polled_through_any_worker(tmp_path: Path) -> None:
    joining = {"businessId": "b1", "userId": "u1"}
    text = {**joining, "locationId": "l1", "message": "Bună!", "messageId": "m1"}
    once = httpx.Limits(max_keepalive_connections=0)
    async with (
        server(tmp_path, **TWO) as running,
        httpx.AsyncClient(base_url=f"http://{running.address}", timeout=20, limits=once) as http,
    ):
        client = Poller(http, {"vsn": "2.0.0"})
        assert (await client.poll())["status"] == 410
        assert await client.push(["1", "1", "messages:b1", "phx_join", joining]) == 200
        await client.receive()
        assert await client.push(["1", "2", "messages:b1", "new_message", text]) == 200
        events: list[str] = []
        while "new_message" not in events:
            events += [frame[3] for frame in await client.receive()]
        beats = [
            await client.push([None, f"{n}", "phoenix", "heartbeat", {}]) for n in range(SOCKETS)
        ]
        sockets = await metric(running, "ai_agent_sockets_open")

    assert set(beats) == {200}
    assert sockets == 1


@of_the_shared
async def test_a_poll_that_its_client_gives_up_ends_on_the_worker_that_has_the_socket(
    shared: ServerProcess,
) -> None:
    once = httpx.Limits(max_keepalive_connections=0)
    base_url = f"http://{shared.address}"
    async with httpx.AsyncClient(base_url=base_url, timeout=20, limits=once) as http:
        client = Poller(http, {"vsn": "2.0.0"})
        await client.poll()
        for _ in range(SOCKETS):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.poll(), 0.05)
        assert await client.push([None, "1", "phoenix", "heartbeat", {}]) == 200
        [reply] = await client.receive()

    assert reply[1] == "1"


@of_the_shared
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_what_is_passed_on_to_another_worker_is_one_request(
    shared: ServerProcess, method: str
) -> None:
    hidden = b"GET /metrics HTTP/1.1\r\nx-worker-client: 10.0.0.1 1\r\n\r\n"

    async def pieces() -> AsyncIterator[bytes]:
        yield hidden  # sent in chunks

    once = httpx.Limits(max_keepalive_connections=0)
    base_url = f"http://{shared.address}"
    async with httpx.AsyncClient(base_url=base_url, timeout=20, limits=once) as http:
        client = Poller(http, {"vsn": "2.0.0"})
        await client.poll()
        assert await client.push([None, "1", "phoenix", "heartbeat", {}]) == 200
        params = {**client.params, "token": client.token}
        answers = [
            await http.request(method, "/socket/longpoll", params=params, content=pieces())
            for _ in range(1 if method == "GET" else SOCKETS)
        ]

    # The first text is no frame, and ends the socket.
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["status"] for answer in answers} <= {200, 410}


async def test_a_polled_socket_of_a_worker_that_died_is_gone(tmp_path: Path) -> None:
    once = httpx.Limits(max_keepalive_connections=0)
    async with (
        server(tmp_path, **TWO) as running,
        httpx.AsyncClient(base_url=f"http://{running.address}", timeout=20, limits=once) as http,
    ):
        clients = [Poller(http, {"vsn": "2.0.0"}) for _ in range(SOCKETS)]
        for client in clients:
            await client.poll()
        before = children(running.pid)
        os.kill(before[0], signal.SIGKILL)
        await until(lambda: before[0] not in children(running.pid))
        beats = [
            await client.push([None, f"{n}", "phoenix", "heartbeat", {}])
            for n, client in enumerate(clients)
        ]
        polls = [
            (await client.poll())["status"]
            for client, beat in zip(clients, beats, strict=True)
            if beat == 410
        ]

    assert set(beats) == {200, 410}
    assert set(polls) == {500}


async def test_metrics_are_the_sum_of_all_workers_those_that_have_ended_included(
    tmp_path: Path,
) -> None:
    async with server(tmp_path, **TWO) as running:
        async with users(running.address, SOCKETS):
            sums = {
                await metric(running, 'ai_agent_joins_total{outcome="ok"}') for _ in range(SOCKETS)
            }
            sockets = {await metric(running, "ai_agent_sockets_open") for _ in range(SOCKETS)}
        stopped, killed = children(running.pid)
        os.kill(stopped, signal.SIGTERM)
        await until(lambda: stopped not in children(running.pid))
        then = await metric(running, 'ai_agent_joins_total{outcome="ok"}')
        os.kill(killed, signal.SIGKILL)
        await until(lambda: killed not in children(running.pid))
        at_last = await metric(running, 'ai_agent_joins_total{outcome="ok"}')

    assert sums == sockets == {SOCKETS}
    assert then == at_last == SOCKETS


@asynccontextmanager
async def hanging(running: ServerProcess) -> AsyncIterator[None]:
    """Let a worker hang, and in the end answer again."""
    [worker, _] = children(running.pid)
    os.kill(worker, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(worker, signal.SIGCONT)
    while (await ready(running))["status"] != "ok":
        pass


@of_the_shared
async def test_a_worker_that_hangs_is_reported_and_holds_nobody_up(shared: ServerProcess) -> None:
    async with hanging(shared):
        began = time.monotonic()
        reports = await asyncio.gather(*(ready(shared) for _ in range(3)))
        answering = await metric(shared, "ai_agent_workers")
        took = time.monotonic() - began

    assert {report["status"] for report in reports} == {"degraded"}
    assert reports[0]["workers"] == {"ready": 1, "wanted": 2}
    assert answering == 1
    assert took < 10


@of_the_shared
async def test_what_waits_for_a_worker_that_hangs_the_others_accept(shared: ServerProcess) -> None:
    async with hanging(shared):
        began = time.monotonic()
        async with users(shared.address, SOCKETS) as us:
            answered = [await is_open(each) for each in us]
        took = time.monotonic() - began

    assert all(answered)
    assert took < 5


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """The file of a public key, without which no process starts."""
    file = tmp_path / "key.pem"
    public = Ed25519PrivateKey.generate().public_key()
    file.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return file


def with_key(key: Path) -> dict[str, str]:
    return {
        **TWO,
        "SOCKET_AUTH": "jwt",
        "JWT_PUBLIC_KEY_FILE": str(key),
        "SERVICE_TOKEN": "s3rvice",
    }


async def test_a_worker_that_cannot_be_started_again_is_tried_with_growing_pauses(
    tmp_path: Path,
) -> None:
    async with server(tmp_path, **TWO) as running:
        async with users(running.address, SOCKETS):
            await metric(running, "ai_agent_sockets_open")
        killed, stays = children(running.pid)
        open_files = resource.prlimit(running.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(running.pid, resource.RLIMIT_NOFILE, (3, open_files[1]))
        os.kill(killed, signal.SIGKILL)
        deaths: list[dict[str, Any]] = []
        while len(deaths) < 3:
            line = await running.next_line()
            deaths += [line] if line["action"] == "worker_died" else []
        report = await ready(running)
        survives = stays in children(running.pid)
        resource.prlimit(running.pid, resource.RLIMIT_NOFILE, open_files)
        while (await ready(running))["workers"]["ready"] < 2:
            pass
        while await metric(running, "ai_agent_sockets_open") > 0:  # those of the one that has died
            pass
        counted = await metric(running, 'ai_agent_joins_total{outcome="ok"}')
        running.signal(signal.SIGTERM)
        ended = await running.end()

    assert [death["pause_s"] for death in deaths] == [0.2, 0.4, 0.8]
    assert all("Too many open files" in death["problem"] for death in deaths[1:])
    assert {death["worker"] for death in deaths} <= {1, 2}
    assert report["status"] == "degraded"
    assert report["workers"] == {"ready": 1, "wanted": 2}
    assert counted == SOCKETS
    assert survives
    assert ended.code == 0


async def test_workers_stay_where_their_successors_cannot_start(tmp_path: Path, key: Path) -> None:
    async with server(tmp_path, **with_key(key)) as running:
        before = children(running.pid)
        await asyncio.to_thread(key.unlink)
        running.signal(signal.SIGUSR2)
        lines = [await running.next_line(), await running.next_line()]
        stay = set(before) <= set(children(running.pid))
        report = await ready(running)

    assert [line["action"] for line in lines] == ["workers_replaced", "worker_not_replaced"]
    assert "JWT_PUBLIC_KEY_FILE cannot be read" in lines[1]["problem"]
    assert stay
    assert report["workers"]["ready"] == 2


async def test_dev_runs_workers_and_one_bridge(tmp_path: Path) -> None:
    chosen = {**TWO, "BRIDGE_PORT": "0"}
    async with server(tmp_path, name="dev", **chosen) as running:
        bridge = await running.next_address()
        processes = len(children(running.pid))
        async with user(bridge) as maria, users(running.address, SOCKETS) as us:
            maria.topic = "coordinators:b1"
            await maria.request("phx_join", {"businessId": "b1", "coordinatorId": "maria"})
            for each in us:
                asked = await each.ask_for_human(message="Vreau un om")
                await maria.wait_for("notification", type="waiting")
        running.signal(signal.SIGINT)
        ended = await running.end()

    port = bridge.partition(":")[2]
    assert processes == 3
    assert asked["liveChat"]["url"] == f"ws://localhost:{port}/socket/websocket"
    assert ended.code == 0
    assert ended.output.count("Ctrl+C stops both.") == 1


@pytest.mark.parametrize("is_assigned", [True, False], ids=["assigned", "unassigned"])
async def test_a_worker_whose_parent_has_died_before_it_was_started_ends(
    tmp_path: Path, is_assigned: bool
) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, socket.create_server(("127.0.0.1", 0)) as listener:
        assignment = Assignment(
            program="server",
            settings=msgspec.structs.asdict(Settings(store="memory")),
            listener=listener.fileno(),
            others=(),
            worker=Worker(number=1, wanted=1, name="1-a", folder=str(tmp_path)),
        )
        if is_assigned:
            ours.sendall(msgspec.json.encode(assignment) + b"\n")
        worker = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "entrypoints.worker", str(theirs.fileno())),
            pass_fds=[theirs.fileno(), listener.fileno()],
            cwd=ROOT,
        )
    async with asyncio.timeout(40):
        assert await worker.wait() == 0
