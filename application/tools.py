"""The tools of one turn: what the AI may look up or request, for its customer alone.

One of the server's own is a method, and a line in `OWN_TOOLS`.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec.structs import replace

from application.policy import Policy
from application.ports import (
    Businesses,
    BusinessTools,
    Handoff,
    HandoffOutcome,
    Knowledge,
    Observer,
    ToolAnswer,
    Toolbox,
    ToolRequest,
    ToolResult,
    Tracing,
)
from application.tracing import NO_TRACING
from application.write_calls import TurnWrites
from domain.business import Reservation
from domain.errors import KnowledgeUnavailable, ToolNotCalled, ToolUnanswered
from domain.knowledge import MAX_QUERY, MAX_RECORDED_QUERY, SEARCH, Finding, fit_passages
from domain.message import Action, ToolOutcome, ToolUse
from domain.model_text import day_and_hour, facts, passages, tagged
from domain.plain_text import note_text, plain_text
from domain.tool import MAX_ARGUMENTS, MAX_TOOL_RESULT, Confirmer, Effect, Tool, ToolArguments
from domain.view import View
from domain.write_call import WriteState, WriteStep

T = TypeVar("T")

GET_BUSINESS, GET_RESERVATIONS = "get_business", "get_reservations"
TRANSFER = "transfer_to_live_chat"

MAX_RESERVATIONS = 8_000
"""Characters of a list of reservations."""
MAX_FOUND_TOKENS = 3_000
"""Tokens of the passages that one search returns."""
MAX_TRANSFER_REASON, MAX_HANDOVER_NOTE = 200, 1_000


class TurnTools(Toolbox):
    """The tools of one turn, bound to its customer.

    Results become the answer's actions, and the outcome of each call its `tools`. A call that
    failed has no action. Whatever is wrong with a call, or with the tool, the result says so
    briefly, and the turn goes on.
    """

    def __init__(
        self,
        view: View,
        businesses: Businesses,
        knowledge: Knowledge | None,
        policy: Policy,
        observer: Observer,
        ask_for_human: Callable[[], Awaitable[Handoff]],
        *,
        business_tools: BusinessTools | None = None,
        extra: Sequence[Tool] = (),
        writes: TurnWrites | None = None,
        tracing: Tracing = NO_TRACING,
    ) -> None:
        """`ask_for_human` returns what comes of a request for a human in this turn. `extra`: the
        tools of the business's own servers; one named as one of the server's own is left out.
        `writes`: makes the calls of those that change something; None: there are none."""
        self._ask_for_human = ask_for_human
        self._business_tools = business_tools
        self._businesses = businesses
        self._calls_left = policy.turn_max_tool_calls
        self._customer = view.session.customer
        self._knowledge = knowledge
        self._max_facts = policy.max_facts_of(view.business)
        self._observer = observer
        self._results: dict[tuple[str, bytes], ToolResult] = {}
        self._servers = {tool.name: tool for tool in extra if tool.name not in _OWN}
        self._tools: tuple[Tool, ...] = ()
        if self._calls_left > 0:
            own = [each.tool for each in OWN_TOOLS if each.is_offered(view)]
            self._tools = (*own, *self._servers.values())
        self._tracing = tracing
        self._view = view
        self._writes = writes
        self.actions: list[Action] = []
        self.searches: list[tuple[Finding, ...]] = []
        """What each search has found."""
        self.uses: list[ToolUse] = []
        self.transfer: str | None = None
        """The note for the coordinator, once a human is requested."""
        self.handoff: Handoff | None = None
        """The outcome of the request for a human, the same for all in a turn; None: there was
        none."""

    @property
    def tools(self) -> Sequence[Tool]:
        return self._tools

    async def call(self, name: str, arguments: ToolArguments | None) -> ToolResult:
        own = _OWN.get(name)
        tool = own.tool if own is not None else self._servers.get(name)
        if self._calls_left <= 0:
            result = _error("no further call is possible: answer with what you have")
        elif arguments is None:
            result = _error("the arguments are not a JSON object")
        elif tool is None:
            result = _NO_SUCH_TOOL
        else:
            about = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": tool.name}
            with self._tracing.span(f"execute_tool {tool.name}", about) as span:
                result = await self._call_once(own, tool, arguments)
                if result is _FAILED:
                    span.fail("tool_failed")
        self._calls_left -= 1
        effect = tool.effect if tool is not None else Effect.READ
        return replace(result, effect=effect, is_last=self._calls_left <= 0)

    @property
    def has_words(self) -> bool:
        """True if there is something to tell the user, also where the AI has written nothing."""
        asked = self.handoff.outcome if self.handoff is not None else None
        return asked in (HandoffOutcome.REQUESTED, HandoffOutcome.NOBODY_THERE)

    @property
    def has_changed_anything(self) -> bool:
        """True if a tool has done something, other than to ask for a human."""
        return any(use.outcome is ToolOutcome.DONE and use.name != TRANSFER for use in self.uses)

    async def _call_once(
        self, own: "OwnTool | None", tool: Tool, arguments: ToolArguments
    ) -> ToolResult:
        """Call a tool, or return what the same call has returned."""
        try:
            if own is not None:  # the model may not choose whose business, or whose reservations
                arguments = own.arguments_in(arguments)
            key = (tool.name, msgspec.json.encode(arguments, order="sorted"))
            if key not in self._results:
                self._results[key] = _FAILED
                if own is not None:
                    self._results[key] = await own.run(self, arguments)
                elif tool.effect is Effect.WRITE:
                    self._results[key] = await self._write(tool, arguments)
                else:
                    self._results[key] = await self._read(tool, arguments)
            return self._results[key]
        except Exception as error:
            self._observer.tool_failed(tool.name, error)
            return _FAILED

    # The server's own.

    async def _get_business(self, _: Mapping[str, str]) -> ToolResult:
        lookup = self._businesses.business(self._customer.business_id)
        business = await self._look_up(GET_BUSINESS, lookup)
        if business is None:
            return _error("nothing is known of this business")
        info = {"type": "business_info", "name": business.name, "facts": dict(business.facts)}
        self.actions.append(info)
        text = tagged("result", facts(business, self._max_facts), tool=GET_BUSINESS)
        return ToolResult(text=text, value=business)

    async def _get_reservations(self, _: Mapping[str, str]) -> ToolResult:
        lookup = self._businesses.reservations(self._customer)
        found = await self._look_up(GET_RESERVATIONS, lookup)
        items = [_reservation_item(reservation) for reservation in found]
        self.actions.append({"type": "reservations", "items": items})
        text = tagged("result", _reservations_text(items), tool=GET_RESERVATIONS)
        return ToolResult(text=text, value=found)

    async def _search_knowledge(self, arguments: Mapping[str, str]) -> ToolResult:
        if not self._view.has_knowledge:
            return _NO_SUCH_TOOL
        query = (note_text(arguments["query"]) or "")[:MAX_QUERY]
        if not query:
            return _error("the query is missing")
        found = await self._look_up(SEARCH, self._search(query), query[:MAX_RECORDED_QUERY])
        self.searches.append(found)
        if not (shown := fit_passages(found, MAX_FOUND_TOKENS)):
            text = "nothing was found: it is not known, unless <facts> has it"
            return replace(_error(text), value=found)
        text = f'<result tool="{SEARCH}">\n{passages(shown)}\n</result>'
        return ToolResult(text=text, value=found)

    async def _search(self, query: str) -> tuple[Finding, ...]:
        if self._knowledge is None:
            raise KnowledgeUnavailable
        return await self._knowledge.search(self._customer.business_id, query)

    async def _transfer(self, arguments: Mapping[str, str]) -> ToolResult:
        reason = arguments["reason"][:MAX_TRANSFER_REASON]
        summary = arguments["summary"][:MAX_HANDOVER_NOTE]
        if self.handoff is None:
            self.handoff = await self._attempt(TRANSFER, self._ask_for_human())
        is_requested = self.handoff.outcome is HandoffOutcome.REQUESTED
        if is_requested:
            self.transfer = note_text(summary) or note_text(reason) or ""
        outcome = ToolOutcome.DONE if is_requested else ToolOutcome.NOTHING
        self.uses.append(ToolUse(name=TRANSFER, outcome=outcome))
        text = _handoff_text(self.handoff)
        return ToolResult(text=text, value=self.handoff, ends_answer=is_requested)

    async def _look_up(self, name: str, lookup: Awaitable[T], query: str | None = None) -> T:
        """Await the lookup and record its outcome."""
        found = await self._attempt(name, lookup, query)
        outcome = ToolOutcome.FOUND if found else ToolOutcome.NOTHING
        self.uses.append(ToolUse(name=name, outcome=outcome, query=query))
        return found

    async def _attempt(self, name: str, work: Awaitable[T], query: str | None = None) -> T:
        """Await the work of a tool, and record it where it fails."""
        try:
            return await work
        except Exception:
            self.uses.append(ToolUse(name=name, outcome=ToolOutcome.FAILED, query=query))
            raise

    # Those of the business's own servers.

    async def _read(self, tool: Tool, arguments: ToolArguments) -> ToolResult:
        """Call a tool that changes nothing."""
        outcome, said = ToolOutcome.FAILED, None
        try:
            server, business = self._business_tools, self._view.business
            assert server is not None
            assert business is not None
            request = self._request(tool, arguments)
            if (problem := await server.problem_with(business, request)) is not None:
                answer = ToolAnswer(text=problem, is_error=True)
            else:
                answer = await server.call(business, request)
            said = plain_text(answer.text[:MAX_TOOL_RESULT])
            if answer.is_error:
                return ToolResult(text=tagged("result", said, tool=tool.name, failed="true"))
            outcome = ToolOutcome.FOUND
            return ToolResult(text=tagged("result", said, tool=tool.name), value=said)
        except (ToolNotCalled, ToolUnanswered):  # who calls its server says so to the operator
            return _FAILED
        finally:
            self._record(tool, arguments, outcome, said)

    async def _write(self, tool: Tool, arguments: ToolArguments) -> ToolResult:
        """Call a tool that changes something, or let the call wait for somebody's yes."""
        writes = self._writes
        if writes is None:
            self._record(tool, arguments, ToolOutcome.FAILED)
            return _error("this cannot be done at the moment, and has not been done")
        if (problem := await writes.problem_with(tool, arguments)) is not None:
            self._record(tool, arguments, ToolOutcome.FAILED)
            said = tagged("result", problem, tool=tool.name, failed="true")
            return ToolResult(text=f"it has not been done\n{said}")
        step = writes.recorded(tool, arguments)
        if step is None:
            if tool.confirm is not None:
                return self._propose(writes, tool, tool.confirm, arguments)
            if writes.is_retaken:
                self._record(tool, arguments, ToolOutcome.FAILED)
                return _error(_RETAKEN)
            step = await writes.call(tool, arguments)
        self._record(tool, arguments, ToolOutcome(step.state.value))
        return ToolResult(text=_outcome_text(step), value=step)

    def _propose(
        self, writes: TurnWrites, tool: Tool, confirm: Confirmer, arguments: ToolArguments
    ) -> ToolResult:
        if (problem := writes.propose(tool, confirm, arguments)) is not None:
            self._record(tool, arguments, ToolOutcome.FAILED)
            return _error(f"it has not been done: {problem}")
        self._record(tool, arguments, ToolOutcome.ASKED)
        who = "the customer" if confirm is Confirmer.CUSTOMER else "a colleague"
        text = (
            f"it has not been done: it waits until {who} says yes. The question stands below your "
            "answer, by itself: do not repeat it, do not say that it is done, and end your answer"
        )
        return ToolResult(text=text, value=writes.proposal)

    def _request(self, tool: Tool, arguments: ToolArguments) -> ToolRequest:
        session = self._view.session
        return ToolRequest(
            tool=tool.name,
            arguments=arguments,
            customer=session.customer,
            location_id=session.location_id,
            session_id=session.session_id,
        )

    def _record(
        self, tool: Tool, arguments: ToolArguments, outcome: ToolOutcome, result: str | None = None
    ) -> None:
        written = plain_text(msgspec.json.encode(arguments).decode())[:MAX_ARGUMENTS]
        use = ToolUse(name=tool.name, outcome=outcome, arguments=written, result=result)
        self.uses.append(use)


class OwnTool(NamedTuple):
    """One of the server's own tools; its arguments are texts."""

    tool: Tool
    is_offered: Callable[[View], bool]
    """Whether the AI is told of it in a conversation."""
    run: Callable[[TurnTools, Mapping[str, Any]], Awaitable[ToolResult]]

    def arguments_in(self, chosen: ToolArguments) -> Mapping[str, str]:
        """Return the arguments that it has; one that is no text, or is missing, is empty."""
        names = self.tool.parameters["properties"]
        assert isinstance(names, dict)
        texts = {name: chosen.get(name) for name in names}
        return {
            name: plain_text(text).strip() if isinstance(text, str) else ""
            for name, text in texts.items()
        }


def _own(
    name: str,
    description: str,
    run: Callable[[TurnTools, Mapping[str, Any]], Awaitable[ToolResult]],
    *,
    effect: Effect = Effect.READ,
    is_offered: Callable[[View], bool] = lambda view: True,
    **arguments: str,
) -> OwnTool:
    """Return a tool; `arguments`: what is told of each."""
    properties = {key: {"type": "string", "description": text} for key, text in arguments.items()}
    schema = {"type": "object", "properties": properties, "required": list(arguments)}
    tool = Tool(name=name, description=description, parameters=schema, effect=effect)
    return OwnTool(tool, is_offered, run)


OWN_TOOLS = (
    _own(
        GET_BUSINESS,
        "All that is known of the business: opening hours, address, prices, …",
        TurnTools._get_business,
    ),
    _own(
        GET_RESERVATIONS,
        "The coming reservations of the customer of this chat.",
        TurnTools._get_reservations,
    ),
    _own(
        TRANSFER,
        "Ask a human colleague to take this chat over. It is the only way to reach one.",
        TurnTools._transfer,
        effect=Effect.WRITE,
        is_offered=lambda view: view.availability.is_offered,
        reason="why, in a few words",
        summary="what the colleague must know, in the customer's language: what the customer "
        "wants, what is settled, what is open",
    ),
    _own(
        SEARCH,
        "Search the business's own documents for what <facts> and <knowledge> do not say. It finds "
        "passages by their words.",
        TurnTools._search_knowledge,
        is_offered=lambda view: view.has_knowledge,
        query="the words that a passage with the answer would have, in the language of the "
        "business",
    ),
)
"""In the order in which the AI is told of them."""
_OWN = {each.tool.name: each for each in OWN_TOOLS}


def _error(reason: str) -> ToolResult:
    return ToolResult(text=msgspec.json.encode({"error": reason}).decode())


def _outcome_text(step: WriteStep) -> str:
    """Return what the model is told of a call that was begun."""
    if step.state is WriteState.UNKNOWN:
        return _error(
            "it is not known whether it was done. Do not call it again, and do not say that it was "
            "done or was not: the customer is told below your answer that it is not known"
        ).text
    said = tagged("result", step.result, tool=step.tool)
    is_done = step.state is WriteState.DONE
    return f"it has been done\n{said}" if is_done else f"it has not been done\n{said}"


_RETAKEN = (
    "it has not been done: this answer was begun before, and something was called for it then, as "
    "you see above. Tell the customer what came of that, and ask what else they want"
)
_NO_SUCH_TOOL = _error("there is no such tool")
_FAILED = _error("this cannot be looked up or done at the moment; nothing is known of it")


def _reservation_item(reservation: Reservation) -> dict[str, object]:
    return {
        "reservationId": reservation.reservation_id,
        "date": reservation.date,
        "time": reservation.time,
        "guests": reservation.guests,
        "name": reservation.name,
    }


def _reservations_text(found: Sequence[dict[str, object]]) -> str:
    """Return the first of the reservations as JSON, as many as fit."""
    items, size = [], 0
    for reservation in found:
        item = msgspec.json.encode(reservation).decode()
        size += len(item)
        if size > MAX_RESERVATIONS:
            break
        items.append(item)
    more = f"\n(and {len(found) - len(items)} more)" if len(items) < len(found) else ""
    return f"[{', '.join(items)}]{more}"


def _handoff_text(handoff: Handoff) -> str:
    match handoff.outcome:
        case HandoffOutcome.REQUESTED:
            return "a colleague is being asked"
        case HandoffOutcome.NOT_OFFERED:
            return (
                "nobody has been asked: this business hands no chat over. Say so, and name its "
                "telephone or address, where <facts> has one"
            )
        case HandoffOutcome.NOT_HANDED_OVER:
            return (
                "nobody has been asked: chats about this are not handed over, unless the customer "
                "asks for a human. Answer it yourself; do not say that anybody was asked"
            )
    back = handoff.availability.returns_at
    when = f", and somebody is again on {day_and_hour(back)}" if back is not None else ""
    what = (
        "their message is kept for the colleagues"
        if handoff.has_left_message
        else "they may leave a message for the colleagues here, best with a telephone number or an "
        "e-mail address"
    )
    return (
        f"nobody has been asked, as nobody is there now{when}. Tell the customer that, and that "
        f"{what}; do not say that anybody was asked, will come or will call"
    )
