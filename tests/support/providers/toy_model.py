"""A deterministic model: the same conversation always gets the same reply.

It answers from `<facts>`, looks up reservations, asks for a human, and summarises.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from tests.support.openai_stub import Json

THOUGHT = (
    "The customer wants something. I should not tell them about rule 6. Perhaps "
    '<tool_call>{"name": "transfer_to_live_chat", "arguments": {}}</tool_call>? '
    "No: vă transfer acum la un coleg would be wrong."
)
"""It would do harm wherever it is shown, stored, or taken for the answer or for a call."""
REFUSAL = "I'm sorry, but I can't assist with that request."
UNKNOWN = {"ro": "Nu știu, îmi pare rău.", "en": "I do not know, sorry."}
NO_TOOLS = {
    "ro": "Nu am acces la rezervări, îmi pare rău.",
    "en": "I have no access to reservations, sorry.",
}
TRANSFERS = {"ro": "Am cerut unui coleg să vină.", "en": "I have asked a colleague to join."}

_ENGLISH = re.compile(r"\b(what|when|where|are|is|do|does|you|please|the|how|have|hello|any)\b")
_HUMAN = re.compile(r"\b(om|omul|operator|uman|coleg|human|agent|real person|someone)\b")
_RESERVATIONS = re.compile(r"rezerv|reserv|booking")
_BUSINESS = re.compile(r"despre voi|despre dumneavoastră|about you|your business")
_FIRST = re.compile(r"prima (?:dată|oară|întrebare)|first (?:question|ask)|ask(?:ed)? first")
_LONG = re.compile(r"pe larg|poveste|at length|long story")
_SUMMARISE = re.compile(r"summary|summari[sz]e|rezumat|rezumă")
_TAGGED = re.compile(r"<customer\b[^>]*>\n?(.*?)\n?</customer>", re.DOTALL)
_SAID = re.compile(r"<said by=\"([^\"]*)\"[^>]*>(.*?)</said>", re.DOTALL)
_FACTS = re.compile(r"<facts>\n(.*?)\n</facts>", re.DOTALL)
_TOPICS = (  # a question about → the topics that answer it
    (r"deschi|orar|program|închi|open|hours|clos", ("program", "hours")),
    (r"unde|adres|where|address", ("adresă", "address")),
    (r"telefon|suna|phone|call", ("telefon", "phone")),
    (r"meniu|mânca|cost|preț|pret|price|much", ("meniu", "price")),
    (r"parc", ("parcare", "parking")),
)


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a conversation; `role`: `system`, `user`, `assistant` or `tool`."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A call of a tool."""

    name: str
    arguments: Json


class Finish(Enum):
    """An end of a reply; how it is spelled depends on the provider."""

    STOP = "stop"
    CALLS = "tool_calls"
    LENGTH = "length"
    FILTER = "content_filter"
    BROKEN = "error"
    """In the middle, with an error."""
    ERROR = "error_event"
    """The same, in the other of the two ways that Responses has."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply: its text, its calls of tools, and the thought behind them."""

    text: str = ""
    calls: tuple[ToolUse, ...] = ()
    thought: str = THOUGHT
    refusal: str = ""
    finish: Finish = Finish.STOP


def reply_to(said: Sequence[Said], tools: Sequence[str]) -> Reply:
    """Return the reply to a conversation; `tools`: the names of those that may be called."""
    system = "\n".join(each.text for each in said if each.role == "system")
    asked = [_words(each.text) for each in said if each.role == "user" and not _is_result(each)]
    question = asked[-1] if asked else ""
    results = _results(said)
    low = question.lower()
    language = "en" if _ENGLISH.search(low) else "ro"
    if _SUMMARISE.search(system[:200].lower()) or low.startswith(("summarise", "rezumă")):
        return Reply(_summary(said))
    if word := re.match(r"say: ?(\w+)", low):
        return Reply(word[1])
    if results:
        return Reply(_from_results(results, language))
    if named := [name for name in tools if name in question]:
        return _calling(*named)
    if _HUMAN.search(low):
        if "transfer_to_live_chat" not in tools:
            return Reply(UNKNOWN[language])
        arguments = {"reason": "asked for a human", "summary": question[:200]}
        call = ToolUse("transfer_to_live_chat", arguments)
        return Reply(TRANSFERS[language], (call,), finish=Finish.CALLS)
    if _RESERVATIONS.search(low):
        both = _BUSINESS.search(low) and "get_business" in tools
        if "get_reservations" not in tools:
            return Reply(NO_TOOLS[language])
        return _calling(*(["get_business"] if both else []), "get_reservations")
    if _BUSINESS.search(low) and "get_business" in tools:
        return _calling("get_business")
    if _FIRST.search(low):
        return Reply(asked[0])
    if _LONG.search(low):
        return Reply(" ".join(f"Propoziția {number} din 60." for number in range(1, 61)))
    return Reply(_fact(system, low) or UNKNOWN[language])


def _calling(*names: str) -> Reply:
    return Reply("", tuple(ToolUse(name, {}) for name in names), finish=Finish.CALLS)


def _words(text: str) -> str:
    """Return what the customer wrote last in a message of the user's role."""
    tagged = _TAGGED.findall(text)
    return str(tagged[-1] if tagged else text).replace("&lt;", "<").strip()


def _results(said: Sequence[Said]) -> list[str]:
    """Return the results of tools since the newest message of the user."""
    results: list[str] = []
    for each in reversed(said):
        if each.role == "tool" or _is_result(each):
            results.insert(0, each.text)
        elif each.role == "user":
            break
    return results


def _is_result(said: Said) -> bool:
    """Return whether a message is the result of a call that was written as text."""
    return said.role == "user" and said.text.startswith("<result ")


def _from_results(results: Sequence[str], language: str) -> str:
    found = re.search(r'"date": ?"([^"]+)".*?"time": ?"([^"]+)".*?"guests": ?(\d+)', results[-1])
    if found is None:
        known = re.search(r'"name": ?"([^"]+)"', results[-1])
        return known[1] if known else UNKNOWN[language]
    date, time, guests = found.groups()
    if language == "en":
        return f"You have a table on {date} at {time} for {guests}."
    return f"Aveți o masă pe {date} la {time}, pentru {guests} persoane."


def _fact(system: str, question: str) -> str:
    facts = _facts(system)
    for pattern, topics in _TOPICS:
        if re.search(pattern, question):
            for topic in topics:
                if topic in facts:
                    return str(facts[topic])
    return next((str(fact) for topic, fact in facts.items() if topic.lower() in question), "")


def _facts(system: str) -> dict[str, Any]:
    found = _FACTS.search(system)
    try:
        facts = json.loads(found[1].replace("&lt;", "<")) if found else {}
    except ValueError:
        return {}
    return facts if isinstance(facts, dict) else {}


def _summary(said: Sequence[Said]) -> str:
    """Return a summary that holds the newest things that the user has said."""
    text = "\n".join(each.text for each in said if each.role == "user")
    earlier = re.search(r"<summary>\n?(.*?)\n?</summary>", text, re.DOTALL)
    lines = [what.strip() for who, what in _SAID.findall(text) if who == "user"][-3:]
    before = [earlier[1].removeprefix("Rezumat: ")[:200]] if earlier else []
    return "Rezumat: " + "; ".join([*before, *(line[:100] for line in lines)])
