"""The assistant without a network: a deterministic demo that says what it is.

It answers from the business's facts, knows a request for a human in Romanian and English, and
streams as a model would.
"""

import re
from collections.abc import AsyncGenerator, Iterator

from application.ports import Assistant, Clock, Toolbox
from domain.business import Business, Reservation
from domain.view import View

_ROMANIAN = re.compile(
    r"[ăâîșțşţ]|\b(?:bun[aă]|salut|vreau|care|este|sunt|unde|cand|ce|cum|cu|un|va|rog|multumesc|"
    r"rezerv\w*|program\w*|aveti|pot|ati|la|si)\b",
    re.IGNORECASE,
)
_ENGLISH = re.compile(
    r"\b(?:hello|hi|hey|what|where|when|how|the|is|are|you|do|can|please|want|would|my|i|thanks?|"
    r"thank|human|agent|open|talk|speak)\b",
    re.IGNORECASE,
)

_HUMAN = re.compile(
    r"\b(?:om real|persoan[aă] real[aă]|operator\w*|coleg\w*|agent(?:ul|ului)? (?:uman|[iî]n chat)|"
    r"chat live|live chat|consultant\w*|coordonator\w*|reprezentant\w*|"
    r"(?:vorbesc|vorbi|discut) cu (?:cineva|un om|o persoan[aă]|agentul)|"
    r"(?:talk|speak|chat) (?:to|with) (?:a |an |some)?(?:human|person|agent|one|body|someone)|"
    r"human agent|real (?:human|person)|representative|customer service)\b",
    re.IGNORECASE,
)
_RESERVATION = re.compile(r"\b(?:rezerv\w*|programare\w*|booking\w*|reservation\w*)\b", re.I)
_GREETING = re.compile(r"\b(?:bun[aă]|salut\w*|hello|hi|hey|hei)\b", re.IGNORECASE)
_THANKS = re.compile(r"\b(?:mul[tț]umesc|mersi|thanks?|thank you)\b", re.IGNORECASE)

_TOPICS = {
    "program": r"program|orar|deschis|[iî]nchis|hours?|open|close|when|c[aâ]nd",
    "adresă": r"adres[aă]|unde|where|address|location|loca[tț]ie",
    "telefon": r"telefon|num[aă]r|phone|call|sun",
    "meniu": r"meniu|m[aâ]nca|food|menu|pre[tț]|cost",
    "parcare": r"parcare|parchez|parking|park|car",
    "hours": r"program|orar|deschis|hours?|open|close|when|c[aâ]nd",
    "address": r"adres[aă]|unde|where|address|location",
    "phone": r"telefon|phone|call|number",
    "price": r"pre[tț]|cost|price|how much",
    "parking": r"parcare|parking|park|car",
}
_TOPIC_PATTERNS = {
    topic: re.compile(rf"\b(?:{words})\w*", re.I) for topic, words in _TOPICS.items()
}

_SAYINGS = {
    "ro": {
        "demo": "(Sunt un asistent demonstrativ, fără inteligență artificială.)",
        "greeting": "Bună! Cu ce vă pot ajuta?",
        "thanks": "Cu plăcere!",
        "human": "Am cerut unui coleg să preia conversația. Vă răspunde aici de îndată ce poate.",
        "no_reservations": "Nu găsesc nicio rezervare pe numele dumneavoastră.",
        "reservations": "Rezervările dumneavoastră:",
        "guests": "persoane",
        "unknown": "Nu cunosc încă nimic despre această firmă.",
        "offer": "Vă pot spune despre: {topics}. Dacă doriți, puteți cere oricând un coleg.",
        "echo": "Am primit mesajul dumneavoastră.",
    },
    "en": {
        "demo": "(I am a demo assistant, without artificial intelligence.)",
        "greeting": "Hello! How can I help you?",
        "thanks": "You are welcome!",
        "human": "I have asked a colleague to take over. They answer here as soon as they can.",
        "no_reservations": "I find no reservation in your name.",
        "reservations": "Your reservations:",
        "guests": "guests",
        "unknown": "I do not know anything about this business yet.",
        "offer": "I can tell you about: {topics}. If you wish, you can ask for a colleague.",
        "echo": "I have received your message.",
    },
}


class ScriptedAssistant(Assistant):
    """The demo assistant."""

    def __init__(self, clock: Clock, *, delay_s: float = 0.02) -> None:
        """`delay_s`: between two words as they stream; 0 gives the whole answer at once."""
        self._clock = clock
        self._delay_s = delay_s

    async def answer(self, view: View, toolbox: Toolbox) -> AsyncGenerator[str, None]:
        text = "\n".join(message.text for message in view.unanswered)
        script = _Script(view, toolbox, _language(text, view.language))
        reply = await script.reply(text)
        if self._delay_s <= 0:
            yield reply
            return
        for word in _words(reply):
            await self._clock.sleep(self._delay_s)
            yield word


class _Script:
    """What to say to one text, in one language."""

    def __init__(self, view: View, toolbox: Toolbox, language: str) -> None:
        self._view = view
        self._toolbox = toolbox
        self._sayings = _SAYINGS[language]

    async def reply(self, text: str) -> str:
        say = self._sayings
        if _HUMAN.search(text):
            await self._toolbox.transfer_to_live_chat("user_request", text[:200])
            return f"{say['human']} {say['demo']}"
        if _RESERVATION.search(text):
            return f"{self._list(await self._toolbox.get_reservations())} {say['demo']}"
        return f"{self._small_talk(text)} {say['demo']}"

    def _small_talk(self, text: str) -> str:
        say, business = self._sayings, self._view.business
        facts = _facts(business, text)
        if facts:
            return " ".join(facts)
        if _THANKS.search(text):
            return say["thanks"]
        opening = say["greeting"] if _GREETING.search(text) else say["echo"]
        return f"{opening} {self._offer(business)}"

    def _offer(self, business: Business | None) -> str:
        if business is None or not business.facts:
            return self._sayings["unknown"]
        return self._sayings["offer"].format(topics=", ".join(business.facts))

    def _list(self, reservations: tuple[Reservation, ...]) -> str:
        say = self._sayings
        if not reservations:
            return say["no_reservations"]
        lines = [f"{r.date} {r.time}, {r.guests} {say['guests']}" for r in reservations]
        return f"{say['reservations']} {'; '.join(lines)}."


def _facts(business: Business | None, text: str) -> list[str]:
    if business is None:
        return []
    return [fact for topic, fact in business.facts.items() if _asks_for(topic, text)]


def _asks_for(topic: str, text: str) -> bool:
    pattern = _TOPIC_PATTERNS.get(topic)
    return bool(pattern.search(text)) if pattern else topic.casefold() in text.casefold()


def _language(text: str, default: str) -> str:
    """What the user writes in, told by common words; the business's language in doubt."""
    romanian, english = len(_ROMANIAN.findall(text)), len(_ENGLISH.findall(text))
    if romanian == english:
        return default if default in _SAYINGS else "ro"
    return "ro" if romanian > english else "en"


def _words(text: str) -> Iterator[str]:
    """The text in pieces of one word, whose concatenation it is."""
    yield from re.findall(r"\s*\S+", text)
