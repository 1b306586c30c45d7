"""The chat on a page of another website, in Chromium: its size, its times, and what it takes.

Networks are Chromium's emulation (CDP's Network.emulateNetworkConditions), which delays requests
and the opening of sockets, but no frames; and a proxy, which delays all bytes. What is compared,
pages or conversations, takes turns within one run.
"""

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any, NamedTuple

import httpx
import pytest
from litestar import Litestar, Response, get
from litestar.params import FromPath
from playwright.async_api import Browser, CDPSession, Page
from playwright.async_api import Error as PlaywrightError

from tests.bench.load import BUSINESS, BenchmarkFailed
from tests.bench.measures import MEMORY, Effort
from tests.bench.report import Figure
from tests.bench.servers import running
from tests.support.browser import PHONE, chromium
from tests.support.server import running as served
from tests.support.tcp_proxy import TcpProxy
from tests.support.tokens import SECRET

SIZE_KB, USABLE_S, INTERACTIVE = 40.0, 1.5, 1.05
SLOW_CPU = 4
"""A phone's processor against this one, as Lighthouse has it."""
LONG, SHORT = 10_000, 10
FEW = 300
"""As many messages as the list has elements for: the measure of a scroll without a long log."""
READ_PX, FLUNG_PX = 100, 800
"""By so much the list is scrolled in each frame: 6,000 px per second, and more than its height."""
READ_FRAMES, MOST_FRAMES = 600, 100_000
FRAME_MS = 1_000 / 60
QUIET_MS = 2_000
"""A page is interactive when so much time passes without another long task."""


class Network(NamedTuple):
    """What Chromium emulates; without a rate, nothing."""

    name: str
    latency_ms: float = 0
    down_kbit_s: float = 0
    up_kbit_s: float = 0


# Lighthouse's "slow 4G" is 150 ms for a packet's way there and back. DevTools has 3.75 times as
# much for a request, as a connection begins with several (TCP, TLS), and 0.9 of the rates.
SIMULATED = Network("slow 4G, 150 ms", 150, 1_638.4, 750)
APPLIED = Network("slow 4G, 562 ms", 562.5, 1_474.56, 675)
PROXIED = Network("proxy, 150 ms")
ROUND_TRIP_S = 0.15
"""Through the proxy, also for the frames of a socket."""

# The measure looks into the shadow tree, which is closed to the page; and it notes long tasks and
# shifts from the beginning.
_LOOK = """
const attach = Element.prototype.attachShadow;
Element.prototype.attachShadow = function () { return attach.call(this, { mode: "open" }); };
const noted = (globalThis.noted = { tasks: [], shifts: [] });
const note = (type, list) => new PerformanceObserver((entries) =>
  list.push(...entries.getEntries())).observe({ type, buffered: true });
note("longtask", noted.tasks);
note("layout-shift", noted.shifts);
globalThis.frame = () => new Promise(requestAnimationFrame);
globalThis.chat = {
  get root() { return document.querySelector("ai-agent-chat")?.shadowRoot; },
  get field() {
    const field = this.root.querySelector("textarea");
    return field?.getClientRects().length && !field.disabled ? field : null;
  },
  async until(get) {
    const end = performance.now() + 30_000;
    while (performance.now() < end) {
      const found = get();
      if (found) return found;
      await frame();
    }
    throw new Error(`not within 30 s: ${get}`);
  },
  async open() {
    await this.until(() => this.root?.querySelector(".launcher"));
    if (!this.field) this.root.querySelector(".launcher").click();
    return this.until(() => this.field);
  },
};
"""
_CLICK = """
async (text) => {
  await chat.until(() => chat.root?.querySelector(".launcher"));
  const began = performance.now();
  const field = await chat.open();
  const usable = performance.now() - began;
  field.value = text;
  field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  field.form.requestSubmit();
  await chat.until(() => chat.root.querySelector("[data-author=user][data-state=stored]"));
  return [usable, performance.now() - began].map((ms) => ms / 1000);
}
"""
_PREFETCHED = """
async (name) => chat.until(() => performance.getEntriesByType("resource")
  .find((entry) => entry.name.includes("/web/dist/panel-") && entry.responseEnd))
"""
# The time to interactive: after the document and every long task, once none comes any more.
_INTERACTIVE = """
async (quietMs) => {
  const [{ domContentLoadedEventEnd }] = performance.getEntriesByType("navigation");
  const end = () => Math.max(domContentLoadedEventEnd,
    ...noted.tasks.map(({ startTime, duration }) => startTime + duration));
  while (performance.now() - Math.max(end(), ...performance.getEntriesByType("resource")
    .map(({ responseEnd }) => responseEnd)) < quietMs) {
    await new Promise((resolve) => setTimeout(resolve, quietMs / 10));
  }
  return end();
}
"""
_SHIFTS = """
async () => {
  await chat.open();
  chat.root.querySelector(".launcher").click();
  await new Promise((resolve) => setTimeout(resolve, 500));
  return noted.shifts.reduce((sum, { value }) => sum + value, 0);
}
"""
_SOCKET = """
async (url) => {
  const socket = new WebSocket(url);
  const [began, opened] = [performance.now(), (await new Promise((resolve) =>
    socket.addEventListener("open", resolve))).timeStamp];
  socket.send(JSON.stringify([null, "1", "phoenix", "heartbeat", {}]));
  const answered = (await new Promise((resolve) =>
    socket.addEventListener("message", resolve))).timeStamp;
  socket.close();
  return [opened - began, answered - opened];
}
"""
# Scrolls to the beginning of the log, or to its end; returns the times between frames, and the most
# messages that were on the page.
_SCROLL = """
async ([direction, step, most]) => {
  const scroller = chat.root.querySelector(".scroller");
  const [frames, counts] = [[], []];
  let [last, still] = [await frame(), 0];
  while (still < 30 && frames.length < most) {
    const before = scroller.scrollTop;
    scroller.scrollTop = before + direction * step;
    const now = await frame();
    frames.push(now - last);
    last = now;
    counts.push(scroller.querySelectorAll("li").length);
    const isMoving = scroller.scrollTop !== before;
    const isLoading = direction < 0 && scroller.querySelector("[data-act=earlier]:not([hidden])");
    still = isMoving || isLoading ? 0 : still + 1;
  }
  return [frames, Math.max(...counts)];
}
"""


async def page(effort: Effort) -> list[Figure]:
    """Measure the widget on the page of another website."""
    try:
        async with chromium() as browser, _Setting.up() as setting:
            return [
                *await _sizes(setting),
                *await _opening(browser, setting, effort),
                *await _host(browser, setting, effort),
                *await _long_log(browser, setting),
            ]
    except (pytest.skip.Exception, PlaywrightError) as error:
        raise BenchmarkFailed(str(error)) from error


@dataclass(frozen=True, slots=True)
class _Setting:
    """A website, a chat server as in production, and one where anybody is a known user."""

    site: str
    chat: str
    far: str
    """The same as `chat`, through the proxy."""
    known: str

    @classmethod
    @asynccontextmanager
    async def up(cls) -> AsyncIterator["_Setting"]:
        pages: dict[str, tuple[str, str]] = {}

        @get("/{name:str}", sync_to_thread=False)
        def file(name: FromPath[str]) -> Response[str]:
            media_type, text = pages[name]
            return Response(text, media_type=media_type)

        app = Litestar([file], openapi_config=None, logging_config=None)
        with tempfile.TemporaryDirectory(prefix="bench-") as folder, ExitStack() as stack:
            async with served(app) as address:
                # To a browser, that is another site than 127.0.0.1.
                site = f"http://localhost:{address.rpartition(':')[2]}"
                _write_business(folder, site)
                visited = {
                    **MEMORY,
                    "BUSINESSES": folder,
                    "SOCKET_AUTH": "jwt",
                    "JWT_SECRET": SECRET,
                    "VISITOR_SECRET": SECRET[::-1],
                    "SERVICE_TOKEN": SECRET,
                }
                users = [f"{name}:{count}" for name, count in _LOGS.items()]
                production = stack.enter_context(running("server", settings=visited))
                filled = stack.enter_context(running("filled", *users, settings=MEMORY))
                async with TcpProxy(production.port) as proxy:
                    proxy.delay_s = ROUND_TRIP_S / 2
                    ports = (production.port, proxy.port, filled.port)
                    setting = cls(site, *(f"http://127.0.0.1:{port}" for port in ports))
                    pages |= setting._pages()
                    yield setting

    def _pages(self) -> dict[str, tuple[str, str]]:
        widget = '<script src="{}/widget.js" data-business="{}" async></script>'
        known = (
            f'<script src="{self.known}/widget.js" async></script><script src="known.js"></script>'
        )
        return {
            "without.html": ("text/html", _SHOP.format("")),
            "with.html": ("text/html", _SHOP.format(widget.format(self.chat, BUSINESS))),
            "far.html": ("text/html", _SHOP.format(widget.format(self.far, BUSINESS))),
            "known.html": ("text/html", _SHOP.format(known)),
            "known.js": ("text/javascript", _KNOWN),
            "shop.css": ("text/css", _SHOP_CSS),
            "shop.js": ("text/javascript", _SHOP_JS),
        }


def _write_business(folder: str, site: str) -> None:
    text = f'name = "Bistro"\nlanguage = "en"\n[website]\norigins = ["{site}"]\n'
    Path(folder, f"{BUSINESS}.toml").write_text(text)


_LOGS = {"short": SHORT, "few": FEW, "long": LONG}
"""Users who have talked before, and how many messages."""
_SHOP = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Shop</title>'
    '<meta name="viewport" content="width=device-width">'
    '<link rel="stylesheet" href="shop.css">{}<script src="shop.js" defer></script></head>'
    "<body><h1>Shop</h1>" + "<p>Something to buy, and some words about it.</p>" * 100 + "</body>"
)
_SHOP_CSS = "".join(f".rule-{number} {{ margin: {number}px }}\n" for number in range(1_000))
# A website's own script: 100 KB that build something when the document is there.
_SHOP_JS = (
    "for (let n = 0; n < 4000; n += 1) {"
    ' const made = document.createElement("p"); made.textContent = `Item ${n}`;'
    " if (n % 40 === 0) document.body.append(made); document.body.offsetHeight; }\n"
    + "".join(f'globalThis.item{number} = "{number * 7919:064d}";\n' for number in range(1_000))
)
_KNOWN = (
    f'(window.AIAgent ??= []).push((agent) => agent.init({{ business: "{BUSINESS}", '
    "user: location.hash.slice(1) }));"
)


async def _sizes(setting: _Setting) -> list[Figure]:
    async with httpx.AsyncClient(base_url=setting.chat) as http:
        widget = await http.get("/widget.js", headers={"Accept-Encoding": "gzip"})
        found = re.search(r"web/dist/panel-[0-9a-f]+\.js", widget.text)
        if found is None:
            raise BenchmarkFailed("widget.js names no panel")
        panel = await http.get(f"/{found[0]}", headers={"Accept-Encoding": "gzip"})
    sizes = [answer.num_bytes_downloaded / 1000 for answer in (widget, panel)]
    return [
        Figure(
            name="widget.js and the chat that it loads, compressed",
            value=sum(sizes),
            unit="KB",
            goal=SIZE_KB,
            detail=f"widget.js {sizes[0]:.1f} KB, which is all until the page is idle; "
            f"the chat {sizes[1]:.1f} KB",
        )
    ]


async def _opening(browser: Browser, setting: _Setting, effort: Effort) -> list[Figure]:
    """Measure from the click on the button, by visitors whose browser has nothing of the chat."""
    figures, foreign = [], list[str]()
    for network in (SIMULATED, APPLIED, PROXIED):
        name, chat = ("far", setting.far) if network is PROXIED else ("with", setting.chat)
        times: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
        for number in range(effort.starts):
            for is_prefetched, kept in times.items():
                async with _visit(browser, network) as visit:
                    await visit.page.goto(f"{setting.site}/{name}.html", wait_until="commit")
                    if is_prefetched:
                        await visit.page.evaluate(_PREFETCHED)
                    kept.append(await visit.page.evaluate(_CLICK, f"Message {number}"))
                    own = (setting.site, chat)
                    foreign += [url for url in visit.asked if not url.startswith(own)]
                    socket = await visit.page.evaluate(_SOCKET, _socket_url(chat))
        figures += [
            _from_click(network, "usable", times, 0, goal=USABLE_S),
            _from_click(network, "acknowledged", times, 1, socket=socket),
        ]
    return [
        *figures,
        Figure(
            name="requests to third parties",
            value=len(foreign),
            unit="",
            goal=0,
            detail=", ".join(sorted(set(foreign))),
        ),
    ]


def _socket_url(chat: str) -> str:
    return f"{chat.replace('http', 'ws', 1)}/socket/websocket?vsn=2.0.0"


def _from_click(
    network: Network,
    what: str,
    times: Mapping[bool, Sequence[tuple[float, float]]],
    index: int,
    *,
    goal: float | None = None,
    socket: Sequence[float] | None = None,
) -> Figure:
    early, late = (median(each[index] for each in times[is_late]) for is_late in (False, True))
    detail = f"clicked before the chat was fetched; afterwards {late:.2f} s"
    if socket is not None:
        opening, answering = socket
        detail += f"; a socket opens in {opening:.0f} ms, and answers in {answering:.0f} ms"
    return Figure(
        name=f"click until {what} ({network.name})", value=early, unit="s", goal=goal, detail=detail
    )


@dataclass(frozen=True, slots=True)
class _Visit:
    """A page in a profile of its own, whose cache is empty."""

    page: Page
    cdp: CDPSession
    asked: list[str]
    """The URLs of its requests and sockets."""


@asynccontextmanager
async def _visit(
    browser: Browser, network: Network = PROXIED, slowdown: float = 1.0, **options: Any
) -> AsyncIterator[_Visit]:
    context = await browser.new_context(**options)
    await context.add_init_script(_LOOK)
    page = await context.new_page()
    cdp = await context.new_cdp_session(page)
    await cdp.send("Performance.enable")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url.replace("ws", "http", 1)))
    if network.down_kbit_s:
        emulated = {
            "offline": False,
            "latency": network.latency_ms,
            "downloadThroughput": network.down_kbit_s * 1024 / 8,
            "uploadThroughput": network.up_kbit_s * 1024 / 8,
        }
        await cdp.send("Network.enable")
        await cdp.send("Network.emulateNetworkConditions", emulated)
    if slowdown != 1.0:
        await cdp.send("Emulation.setCPUThrottlingRate", {"rate": slowdown})
    yield _Visit(page, cdp, asked)
    await context.close()


async def _host(browser: Browser, setting: _Setting, effort: Effort) -> list[Figure]:
    """Measure what a page of the website has of the chat that nobody opens; and of opening it."""
    times: dict[str, list[float]] = {"without": [], "with": []}
    busy: dict[str, list[float]] = {"without": [], "with": []}
    tasks: dict[str, list[int]] = {"without": [], "with": []}
    for number in range(effort.rounds):
        # Either goes first in turn.
        for name in sorted(times, reverse=number % 2 == 0):
            async with _visit(browser, SIMULATED, SLOW_CPU, viewport=PHONE) as visit:
                await visit.page.goto(f"{setting.site}/{name}.html", wait_until="load")
                times[name].append(await visit.page.evaluate(_INTERACTIVE, QUIET_MS))
                tasks[name].append(await visit.page.evaluate("noted.tasks.length"))
                busy[name].append((await _metrics(visit.cdp))["TaskDuration"] * 1000)
    async with _visit(browser) as visit:
        await visit.page.goto(f"{setting.site}/with.html")
        shift = await visit.page.evaluate(_SHIFTS)
    ratios = [ours / theirs for ours, theirs in zip(times["with"], times["without"], strict=True)]
    low, _, high = quantiles(ratios, n=4)
    return [
        Figure(
            name="page interactive, with the chat against without",
            value=median(ratios),
            unit="x",
            goal=INTERACTIVE,
            detail=f"{median(times['with']):.0f} and {median(times['without']):.0f} ms; half of "
            f"{len(ratios)} pairs within {low:.3f} and {high:.3f}; a phone on {SIMULATED.name}, "
            f"its processor {SLOW_CPU} times as slow; long tasks {median(tasks['with']):g} and "
            f"{median(tasks['without']):g}",
        ),
        Figure(
            name="  main thread, with the chat against without",
            value=median(busy["with"]) - median(busy["without"]),
            unit="ms",
            detail=f"{median(busy['with']):.0f} against {median(busy['without']):.0f} ms, the "
            "processor as slow",
        ),
        Figure(name="layout shift of the page, opened and closed", value=shift, unit="", goal=0),
    ]


async def _metrics(cdp: CDPSession) -> dict[str, float]:
    found = await cdp.send("Performance.getMetrics")
    return {each["name"]: each["value"] for each in found["metrics"]}


class _Scrolled(NamedTuple):
    read_ms: list[float]
    """The times between frames, scrolled as one who reads does."""
    flung_ms: list[float]
    most_elements: int
    kib: float
    """What JavaScript's objects take, after a collection of garbage."""
    nodes: int


def _dropped(frames_ms: Sequence[float]) -> float:
    """Return the percentage of frames that were not shown."""
    missed = sum(max(0, round(each / FRAME_MS) - 1) for each in frames_ms)
    return 100 * missed / (missed + len(frames_ms))


async def _long_log(browser: Browser, setting: _Setting) -> list[Figure]:
    """Scroll through whole conversations, up and down."""
    short, few, long = [await _scrolled(browser, setting, user) for user in _LOGS]
    worst = quantiles(long.read_ms, n=100)[-1]
    return [
        Figure(
            name=f"frames dropped, scrolling {LONG:,} messages",
            value=_dropped(long.read_ms),
            unit="%",
            detail=f"of {len(long.read_ms):,} frames of {READ_PX} px each; 99 % within "
            f"{worst:.0f} ms, the longest {max(long.read_ms):.0f} ms; with {FEW} messages "
            f"{_dropped(few.read_ms):.1f} %",
        ),
        Figure(
            name="  flung from end to end",
            value=_dropped(long.flung_ms),
            unit="%",
            detail=f"of {len(long.flung_ms):,} frames of {FLUNG_PX} px each, up and down; with "
            f"{FEW} messages {_dropped(few.flung_ms):.1f} %",
        ),
        Figure(
            name=f"  memory with {LONG:,} messages, all loaded",
            value=long.kib / 1024,
            unit="MiB",
            detail=f"with {SHORT} messages {short.kib / 1024:.1f} MiB; at most "
            f"{long.most_elements} messages on the page; nodes {long.nodes:,} and {short.nodes:,}",
        ),
    ]


async def _scrolled(browser: Browser, setting: _Setting, user: str) -> _Scrolled:
    async with _visit(browser, viewport={"width": 1_280, "height": 800}) as visit:
        await visit.page.goto(f"{setting.site}/known.html#{user}")
        await visit.page.evaluate("chat.open()")
        await visit.page.evaluate(
            "chat.until(() => chat.root.querySelectorAll('[data-author=ai]').length > 3)"
        )
        up, most = await visit.page.evaluate(_SCROLL, [-1, FLUNG_PX, MOST_FRAMES])
        if not await visit.page.locator(".greeting .bubble").count():
            raise BenchmarkFailed("the beginning of the conversation was not reached")
        read, _ = await visit.page.evaluate(_SCROLL, [1, READ_PX, READ_FRAMES])
        down, elements = await visit.page.evaluate(_SCROLL, [1, FLUNG_PX, MOST_FRAMES])
        for _ in range(2):
            await visit.cdp.send("HeapProfiler.collectGarbage")
            await asyncio.sleep(0)
        metrics = await _metrics(visit.cdp)
        kib = metrics["JSHeapUsedSize"] / 1024
        return _Scrolled(read, up + down, max(most, elements), kib, int(metrics["Nodes"]))
