"""The tools that a model may call, and the results of its calls.

Whatever is wrong with a call, or with the tool, the result says so briefly, and the turn goes on.
"""

import logging
from typing import Any

import msgspec

from adapters.json_text import NOT_JSON, decode_json
from adapters.model.completion import ToolCall, ToolSpec
from adapters.model.prompt import day_and_hour, facts, passages, tagged
from application.ports import Handoff, HandoffOutcome, Toolbox
from domain.business import LEAST_FACTS, Reservation
from domain.errors import Failure
from domain.knowledge import SEARCH, fit_passages
from domain.view import View

logger = logging.getLogger(__name__)

MAX_RESULT = 8_000
"""Characters of a list of reservations."""
MAX_FOUND_TOKENS = 3_000
"""Tokens of the passages that one search returns."""
MAX_TRANSFER_REASON, MAX_HANDOVER_NOTE = 200, 1_000


# The tools have the shape of Chat Completions, as the messages do (see `completion`).
def _tool(name: str, description: str, **parameters: str) -> ToolSpec:
    properties = {key: {"type": "string", "description": text} for key, text in parameters.items()}
    schema = {"type": "object", "properties": properties, "required": list(parameters)}
    function = {"name": name, "description": description, "parameters": schema}
    return {"type": "function", "function": function}


TRANSFER = "transfer_to_live_chat"
TOOLS = (
    _tool("get_business", "All that is known of the business: opening hours, address, prices, …"),
    _tool("get_reservations", "The coming reservations of the customer of this chat."),
    _tool(
        TRANSFER,
        "Ask a human colleague to take this chat over. It is the only way to reach one.",
        reason="why, in a few words",
        summary="what the colleague must know, in the customer's language: what the customer "
        "wants, what is settled, what is open",
    ),
)
TOOLS_ALONE = tuple([tool for tool in TOOLS if tool["function"]["name"] != TRANSFER])
"""Those of a business that hands no chat over."""
_SEARCH_TOOL = _tool(
    SEARCH,
    "Search the business's own documents for what <facts> and <knowledge> do not say. It finds "
    "passages by their words.",
    query="the words that a passage with the answer would have, in the language of the business",
)


def tools_for(view: View) -> tuple[ToolSpec, ...]:
    """Return the tools for a conversation: the same ones for all of a business."""
    tools = TOOLS if view.availability.is_offered else TOOLS_ALONE
    return (*tools, _SEARCH_TOOL) if view.has_knowledge else tools


class Tools:
    """The tools of one turn, for a model's calls."""

    def __init__(
        self,
        toolbox: Toolbox,
        limit: int,
        max_facts: int = LEAST_FACTS,
        *,
        has_knowledge: bool = False,
    ) -> None:
        """`limit`: how many calls the turn may make, wrong ones included. `max_facts`: those in the
        prompt, too. `has_knowledge`: whether there are documents to search."""
        self._max_facts = max_facts
        self._has_knowledge = has_knowledge
        self._toolbox = toolbox
        self._left = limit
        self._results: dict[tuple[str, str], str] = {}
        self.has_transferred = False

    @property
    def may_go_on(self) -> bool:
        """True if another call is possible."""
        return self._left > 0

    async def use(self, call: ToolCall) -> str:
        """Return the result of a call, as a text for the model."""
        if self._left <= 0:
            return _error("no further call is possible: answer with what you have")
        self._left -= 1
        arguments = _arguments(call.arguments)
        if arguments is None:
            return _error("the arguments are not a JSON object")
        # The others ignore their arguments: the model may not choose whose business, or whose
        # reservations.
        has_arguments = call.name in (TRANSFER, SEARCH)
        key = (call.name, call.arguments if has_arguments else "")
        if key not in self._results:
            self._results[key] = await self._run(call.name, arguments)
        return self._results[key]

    async def _run(self, name: str, arguments: dict[str, Any]) -> str:
        try:
            match name:
                case "get_business":
                    return await self._business()
                case "get_reservations":
                    return await self._reservations()
                case "search_knowledge" if self._has_knowledge:
                    return await self._search(arguments)
                case "transfer_to_live_chat":
                    return await self._transfer(arguments)
        except Exception as error:
            level = logging.INFO if isinstance(error, Failure) else logging.ERROR
            extra = {"action": "tool_failed", "tool": name}
            logger.log(level, "A tool has failed", extra=extra, exc_info=error)
            return _error("this cannot be looked up or done at the moment; nothing is known of it")
        return _error("there is no such tool")

    async def _business(self) -> str:
        business = await self._toolbox.get_business()
        if business is None:
            return _error("nothing is known of this business")
        return tagged("result", facts(business, self._max_facts), tool="get_business")

    async def _reservations(self) -> str:
        found = await self._toolbox.get_reservations()
        items, size = [], 0
        for reservation in found:
            item = msgspec.json.encode(_item(reservation)).decode()
            size += len(item)
            if size > MAX_RESULT:
                break
            items.append(item)
        more = f"\n(and {len(found) - len(items)} more)" if len(items) < len(found) else ""
        return tagged("result", f"[{', '.join(items)}]{more}", tool="get_reservations")

    async def _search(self, arguments: dict[str, Any]) -> str:
        query = _string(arguments.get("query"))
        if not query:
            return _error("the query is missing")
        found = fit_passages(await self._toolbox.search_knowledge(query), MAX_FOUND_TOKENS)
        if not found:
            return _error("nothing was found: it is not known, unless <facts> has it")
        return f'<result tool="{SEARCH}">\n{passages(found)}\n</result>'

    async def _transfer(self, arguments: dict[str, Any]) -> str:
        reason = _string(arguments.get("reason"))[:MAX_TRANSFER_REASON]
        summary = _string(arguments.get("summary"))[:MAX_HANDOVER_NOTE]
        handoff = await self._toolbox.transfer_to_live_chat(reason, summary)
        self.has_transferred = handoff.outcome is HandoffOutcome.REQUESTED
        return _handoff_result(handoff)


def _handoff_result(handoff: Handoff) -> str:
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


def _item(reservation: Reservation) -> dict[str, object]:
    return {
        "date": reservation.date,
        "time": reservation.time,
        "guests": reservation.guests,
        "name": reservation.name,
        "reservationId": reservation.reservation_id,
    }


def _arguments(text: str) -> dict[str, Any] | None:
    """Return the arguments of a call, which may be left out; None: they are not an object."""
    try:
        found = decode_json(msgspec.json.decode, text) if text.strip() else {}
        if isinstance(found, str):  # encoded twice
            found = decode_json(msgspec.json.decode, found) if found.strip() else {}
    except NOT_JSON:
        return None
    if found is None:
        return {}
    return found if isinstance(found, dict) else None


def _string(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _error(reason: str) -> str:
    return msgspec.json.encode({"error": reason}).decode()
