"""The calls of tools that change something: each is made once, and its outcome is in the log.

A call begins with a conditional write: the conversation must still be the AI's, and no other run of
the turn may have done something that this one does not know of. Then the tool is called, with the
call's id as the idempotency key; then its outcome is stored, whoever has the conversation by then.
A call that was begun and has no outcome may have been made. It is looked up, where the tool can be
asked, and is otherwise said to be unknown; it is never made again.
"""

import asyncio
import re
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeVar

import msgspec

from application.business_facts import facts_if_known, language_and_words
from application.ports import (
    Businesses,
    BusinessTools,
    Clock,
    NewId,
    Observer,
    SessionStore,
    ToolAnswer,
    ToolRequest,
)
from application.session_log import SessionLog
from domain.backoff import backoff
from domain.business import Business
from domain.decision_context import DecisionContext
from domain.errors import (
    DuplicateMessage,
    StorageUnavailable,
    ToolNotCalled,
    ToolUnanswered,
)
from domain.identity import MessageId
from domain.plain_text import plain_text, shortened
from domain.session import Draft, Session
from domain.tool import (
    MAX_ARGUMENTS,
    MAX_TOOL_RESULT,
    Confirmer,
    Proposal,
    Tool,
    ToolArguments,
    terms_of,
)
from domain.write_call import (
    MAX_WHAT,
    OUTCOMES,
    WriteCall,
    WriteState,
    WriteStep,
    begun_states,
    call_id_of,
)
from domain.write_decisions import Claim, begin_call, overdue_calls, record_outcome

SENT_WITHIN_S = 2.0
"""The time in which a call that was begun is sent, or never: one whose process stood still must not
reach its tool after others have found that it was not made."""
DEFAULT_TIMEOUT_S = 15.0
"""Of a tool that is not known any more."""
LOOK_S = 0.5
"""The interval at which the outcome of another process's call is looked for."""
STORE_FOR_S = 60.0
"""The time for which an outcome is tried to be stored."""
ENDED_WITHIN_S = 5.0
"""The time that calls have to end when the process does."""
MAX_VALUE = 200
"""Characters of one argument, as people see it."""

T = TypeVar("T")
_unseen = re.compile(
    "[\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
"""Characters that show nothing, or change the order in which others are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSite:
    """The conversation that calls are made in, and what is needed to append to it."""

    session: Session
    """As it was read."""
    business: Business
    tools: Mapping[str, Tool]
    """The business's own, by their names."""
    context: Callable[[], DecisionContext]
    origin: object = None
    """The turn that appends; None: it is none."""

    def terms(self, tool: str) -> str:
        """Return a digest of the terms on which the business allows a tool now."""
        return terms_of(self.business.tool_servers, tool)

    def request(self, tool: str, arguments: ToolArguments, key: str | None = None) -> ToolRequest:
        """Return the request of a call."""
        session = self.session
        return ToolRequest(
            tool=tool,
            arguments=arguments,
            customer=session.customer,
            location_id=session.location_id,
            session_id=session.session_id,
            key=key,
        )

    def request_of(self, call: WriteCall) -> ToolRequest:
        """Return the request of a call that was begun."""
        return self.request(call.tool, msgspec.json.decode(call.arguments), call.call_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteCalls:
    """Makes the calls, and stores what came of them."""

    session_log: SessionLog
    store: SessionStore
    tools: BusinessTools
    businesses: Businesses
    observer: Observer
    clock: Clock
    new_id: NewId
    _running: set[asyncio.Task[Any]] = field(default_factory=set)

    def site(
        self,
        session: Session,
        business: Business,
        tools: Iterable[Tool] = (),
        origin: object = None,
    ) -> CallSite:
        """Return what calls in a session need; `tools`: those of the business, to call them."""
        language, words = language_and_words(business)
        return CallSite(
            session=session,
            business=business,
            tools={tool.name: tool for tool in tools},
            context=lambda: self.session_log.decision_context(language, words),
            origin=origin,
        )

    async def begin(self, site: CallSite, claim: Claim, step: WriteStep) -> WriteCall | None:
        """Store that a call begins; None: it must not. Raises: StorageUnavailable."""
        message_id, session_id = MessageId(self.new_id()), claim.session_id
        begun: WriteCall | None = None

        def decide(session: Session | None) -> Draft | None:
            nonlocal begun
            draft = begin_call(session, claim, step, message_id, site.context())
            begun = None
            if draft is not None:
                seq = draft.entries[-1].seq
                begun = draft.session.write_call(step.call_id or call_id_of(session_id, seq))
            return draft

        await self.session_log.commit(site.session.customer, decide, site.origin)
        return begun

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run the work of a call in a task of its own, which outlives the turn."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # or it is logged where the turn does not wait any more

    async def make(self, site: CallSite, call: WriteCall) -> WriteStep:
        """Call the tool of a call that was begun; store the outcome, and return it.

        Raises: StorageUnavailable.
        """
        sent = self.clock.monotonic()
        try:
            step = _outcome(call, await self.tools.call(site.business, site.request_of(call)))
        except ToolNotCalled as error:
            step = call.step(WriteState.FAILED, _shown(str(error)))
        except Exception as error:  # whatever it was, the tool may have been called
            if not isinstance(error, ToolUnanswered):
                self.observer.tool_crashed(call.tool, error)
            step = await self._looked_up(site, call, sent)
        await self.store_outcome(site, step)
        return step

    async def _looked_up(self, site: CallSite, call: WriteCall, sent_by: float) -> WriteStep:
        """Return the outcome of a call that may have been made, as the tool's look-up has it.

        Only once the call's time is over: until then it may yet be made. `sent_by`: the latest time
        at which it was sent, by this process's monotonic clock: those of two may differ.
        """
        tool = site.tools.get(call.tool)
        if tool is None or not tool.has_look_up or call.terms != site.terms(call.tool):
            return call.step(WriteState.UNKNOWN)
        over_s = self.clock.monotonic() - sent_by
        await self.clock.sleep(max(0.0, tool.timeout_s - over_s))
        try:
            answer = await self.tools.was_made(site.business, site.request_of(call))
        except Exception as error:
            if not isinstance(error, ToolUnanswered | ToolNotCalled):
                self.observer.tool_crashed(call.tool, error)
            return call.step(WriteState.UNKNOWN)
        if answer is None:
            return call.step(WriteState.FAILED, "it was not made")
        return call.step(WriteState.DONE, _shown(answer.text))

    async def settle(self, site: CallSite, call: WriteCall) -> None:
        """See to it that a call which was begun has an outcome. Raises: StorageUnavailable.

        The process that has begun it gets the time to store one.
        """
        tool, session = site.tools.get(call.tool), site.session
        timeout_s = tool.timeout_s if tool is not None else DEFAULT_TIMEOUT_S
        found_at = self.clock.monotonic()
        while True:
            over_s = (self.clock.now() - call.at).total_seconds()
            over_s = max(over_s, self.clock.monotonic() - found_at)
            left_s = timeout_s + SENT_WITHIN_S - over_s
            if left_s <= 0:
                break
            await self.clock.sleep(max(0.05, min(LOOK_S, left_s)))
            cached = await self.session_log.reload(session.customer)
            if cached is None or cached.session.session_id != session.session_id:
                return
            found = cached.session.write_call(call.call_id)
            if found is None or found.state is not WriteState.STARTED:
                return
        await self.store_outcome(site, await self._looked_up(site, call, found_at + SENT_WITHIN_S))

    async def settle_overdue(self, session: Session) -> None:
        """Store that the outcomes of calls which nobody is going to store are unknown.

        Raises: StorageUnavailable.
        """
        business = await facts_if_known(self.businesses, session.customer.business_id)
        site = self.site(session, known_or_bare(session, business))
        for call in overdue_calls(session, self.clock.now()):
            await self.store_outcome(site, call.step(WriteState.UNKNOWN))

    async def store_outcome(self, site: CallSite, step: WriteStep) -> None:
        """Store an outcome, for as long as the store is away; if it stays so, a later turn does."""
        message_id = MessageId(self.new_id())
        started = self.clock.monotonic()
        for attempt in count():
            try:
                await self._append_outcome(site, step, message_id)
                break
            except StorageUnavailable:
                if self.clock.monotonic() - started > STORE_FOR_S:
                    raise
            await self.clock.sleep(backoff(attempt, 0.1, 2.0, jitter=1.0))
        self.observer.write_settled(step.tool, step.call_id, step.state)

    async def _append_outcome(self, site: CallSite, step: WriteStep, message_id: MessageId) -> None:
        # It may have been closed since, and another one is open; or it was erased.
        session_id, customer = site.session.session_id, site.session.customer

        def decide(session: Session | None) -> Draft | None:
            if session is None:
                return None
            return record_outcome(session, step, message_id, site.context())

        with suppress(DuplicateMessage):
            await self.session_log.commit_in(session_id, customer, decide, site.origin)

    async def stop(self) -> None:
        """Give the calls under way a little time to end: what then has no outcome is unknown."""
        if tasks := list(self._running):
            _, late = await asyncio.wait(tasks, timeout=ENDED_WITHIN_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)


class TurnWrites:
    """The calls of one turn's run, and those that it finds begun or approved."""

    def __init__(
        self,
        calls: WriteCalls,
        site: CallSite,
        *,
        is_over: Callable[[], bool],
        on_lost: Callable[[], object],
    ) -> None:
        """`is_over` returns True once the turn has ended, or is about to. `on_lost` is called where
        another run has done something, or the conversation has changed hands: this run is to end.
        """
        self._calls = calls
        self._site = site
        self._is_over = is_over
        self._on_lost = on_lost
        self._making: list[asyncio.Task[WriteStep | None]] = []
        self._known: dict[tuple[str, str], WriteStep] = {}
        self._begun = dict(begun_states(site.session.writes))
        self.outcomes: list[WriteStep] = []
        """What this turn has to tell of: the outcomes of its calls, in order."""
        self.proposal: Proposal | None = None
        """The call that is to wait for somebody's yes."""
        for call in site.session.writes:
            if call.state in OUTCOMES:
                step = call.step(call.state, call.result)
                self.outcomes.append(step)
                self._known[call.tool, call.arguments] = step
        self._earlier = tuple(self.outcomes)

    @property
    def tools(self) -> tuple[Tool, ...]:
        """The business's own tools, in the order of its file."""
        return tuple(self._site.tools.values())

    @property
    def is_retaken(self) -> bool:
        """True if an earlier run of the turn has decided to do something, and may have done it.

        In this one, where the model may decide another way, nothing more is done.
        """
        decided = [step for step in self._earlier if step.confirm is None]
        return any(step.state is not WriteState.FAILED for step in decided)

    @property
    def begun(self) -> frozenset[tuple[str, WriteState]]:
        """The calls that were begun, each with what has become of it, as far as this run knows."""
        return frozenset(self._begun.items())

    async def prepare(self) -> bool:
        """Settle the calls that were begun before, then make those that were approved.

        Returns True if there were any: the session is another one then. Raises: StorageUnavailable.
        """
        calls = self._site.session.writes
        begun = [call for call in calls if call.state is WriteState.STARTED]
        approved = [call for call in calls if call.state is WriteState.APPROVED]
        for call in begun:
            await self._calls.settle(self._site, call)
        for call in approved:
            await self._run(call.step(WriteState.STARTED))
        return bool(begun or approved)

    def recorded(self, tool: Tool, arguments: ToolArguments) -> WriteStep | None:
        """Return the outcome of the same call earlier in this turn, in whatever run, if any."""
        return self._known.get((tool.name, json_text(arguments)))

    @property
    def unknown(self) -> list[WriteStep]:
        """The outcomes that nobody knows."""
        return [step for step in self.outcomes if step.state is WriteState.UNKNOWN]

    async def problem_with(self, tool: Tool, arguments: ToolArguments) -> str | None:
        """Return why a call would be refused, for the model; None: it would not."""
        if len(json_text(arguments)) > MAX_ARGUMENTS:
            return f"the arguments are longer than {MAX_ARGUMENTS} characters"
        site = self._site
        return await self._calls.tools.problem_with(
            site.business, site.request(tool.name, arguments)
        )

    def propose(self, tool: Tool, confirm: Confirmer, arguments: ToolArguments) -> str | None:
        """Let a call wait for somebody's yes; return why it cannot, for the model, if so.

        Nobody is asked for a yes to what they would not be shown.
        """
        if self.proposal is not None:
            return "a yes is asked for one at a time, and another call waits"
        title, items = tool.title or tool.name, shown_arguments(tool, arguments)
        what = what_of(title, items)
        whole = shown_arguments(tool, arguments, most=MAX_ARGUMENTS)
        if items != whole or len(what_of(title, whole, most=MAX_ARGUMENTS)) > MAX_WHAT:
            return "the arguments are too long to be shown to who has to say yes"
        self.proposal = Proposal(
            tool=tool.name,
            what=what,
            title=title,
            items=items,
            arguments=json_text(arguments),
            terms=self._site.terms(tool.name),
            confirm=confirm,
            confirm_for=tool.confirm_for,
        )
        return None

    async def call(self, tool: Tool, arguments: ToolArguments) -> WriteStep:
        """Begin a call, make it, and return its outcome. Raises: StorageUnavailable."""
        what = what_of(tool.title or tool.name, shown_arguments(tool, arguments))
        step = WriteStep(
            call_id="",
            state=WriteState.STARTED,
            tool=tool.name,
            what=what,
            arguments=json_text(arguments),
            terms=self._site.terms(tool.name),
        )
        return await self._run(step)

    async def _run(self, step: WriteStep) -> WriteStep:
        making = self._calls.start(self._begin_and_make(step))
        self._making.append(making)
        made = await asyncio.shield(making)
        if made is None:
            self._on_lost()
            await asyncio.sleep(0)  # where a cancellation takes effect
            raise asyncio.CancelledError
        return made

    async def _begin_and_make(self, step: WriteStep) -> WriteStep | None:
        calls, site, session = self._calls, self._site, self._site.session
        known = frozenset(self._begun)
        claim = Claim(session.session_id, session.epoch, session.settled_seq, known)
        began = calls.clock.monotonic()
        call = await calls.begin(site, claim, step)
        if call is None:
            return None
        self._begun[call.call_id] = WriteState.STARTED
        if self._is_over() or self._is_late(began):
            made = call.step(WriteState.FAILED, "it was not called: there was no time left")
            await calls.store_outcome(site, made)
        elif call.terms != site.terms(call.tool):
            made = call.step(WriteState.FAILED, "it was not called: the tool is another one now")
            await calls.store_outcome(site, made)
        else:
            made = await calls.make(site, call)
        self._begun[call.call_id] = made.state
        self.outcomes.append(made)
        self._known[call.tool, call.arguments] = made
        return made

    def _is_late(self, began: float) -> bool:
        return self._calls.clock.monotonic() - began > SENT_WITHIN_S

    async def finish(self) -> None:
        """Wait for the calls under way: a turn that ends early tells what came of them, too."""
        while waiting := [each for each in self._making if not each.done()]:
            await asyncio.wait(waiting)


def known_or_bare(session: Session, business: Business | None) -> Business:
    """Return the session's business, without tools where nothing is known of it."""
    business_id = session.customer.business_id
    return business or Business(business_id=business_id, name=business_id)


def json_text(arguments: ToolArguments) -> str:
    """Return arguments as JSON, the same for the same ones in whatever order."""
    return msgspec.json.encode(arguments, order="deterministic").decode()


def shown_arguments(
    tool: Tool, arguments: ToolArguments, *, most: int = MAX_VALUE
) -> tuple[tuple[str, str], ...]:
    """Return the arguments for people: name and value, in the order of the tool's schema.

    Each has `most` characters at most.
    """
    properties = tool.parameters.get("properties")
    known = properties if isinstance(properties, dict) else {}
    names = [name for name in known if name in arguments]
    names += sorted(arguments.keys() - known.keys())
    labels = [_label(known.get(name), name) for name in names]
    pairs = list(zip(labels, names, strict=True))
    if len({*labels}) < len(names) or any(a != b and a in names for a, b in pairs):
        labels = names  # the server's own titles could be mistaken for one another
    return tuple(
        [
            (_line(label, most), _line(_value(arguments[name]), most))
            for label, name in zip(labels, names, strict=True)
        ]
    )


def _label(schema: object, name: str) -> str:
    title = schema.get("title") if isinstance(schema, dict) else None
    return title if isinstance(title, str) and title.strip() else name


def _value(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _line(text: str, most: int) -> str:
    return shortened(_unseen.sub("", " ".join(plain_text(text).split())), most)


def what_of(title: str, items: tuple[tuple[str, str], ...], *, most: int = MAX_WHAT) -> str:
    """Return what a call does, in one line of `most` characters at most."""
    listed = ", ".join([f"{label}: {value}" for label, value in items])
    return _line(f"{title} ({listed})" if listed else title, most)


def _outcome(call: WriteCall, answer: ToolAnswer) -> WriteStep:
    state = WriteState.FAILED if answer.is_error else WriteState.DONE
    return call.step(state, _shown(answer.text))


def _shown(text: str) -> str:
    return plain_text(text)[:MAX_TOOL_RESULT]
