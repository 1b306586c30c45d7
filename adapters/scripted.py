"""An assistant without a model: a deterministic demo that says that it is one.

It answers in all languages of the notices, from the business's facts, its opening hours and its
documents, recognises a request for a human in Romanian and English, and streams as a model would.
"""

import re
import shlex
from collections.abc import Sequence
from datetime import UTC, tzinfo
from functools import lru_cache
from typing import Any

import msgspec
from msgspec.structs import replace

from application.ports import (
    AnswerWriter,
    Assistant,
    Clock,
    Handoff,
    HandoffOutcome,
    SummaryResult,
    Toolbox,
)
from application.tools import GET_RESERVATIONS, TRANSFER
from domain.business import Business, Reservation, hours_at, zone_of
from domain.dates import day_and_time
from domain.errors import AssistantFailed
from domain.hours import OpeningHours
from domain.hours_text import next_dates_text, week_text
from domain.human_request import asks_for_human
from domain.knowledge import SEARCH, Finding, excerpt, topic_words
from domain.language import FALLBACK_LANGUAGE, lookup
from domain.message import Author, Entry, Message
from domain.texts import Text, localized
from domain.tool import Proposal, Tool, ToolArguments
from domain.view import View
from domain.write_call import OUTCOMES, WriteState, WriteStep
from domain.write_decisions import outcome_text

# ASCII that is no letter or digit separates words, all else is dropped: "Bună!" is "bun".
_SEPARATORS = bytes(c if chr(c).isalnum() else ord(" ") for c in range(128)).ljust(256)


def _words(text: str) -> set[bytes]:
    """Return the words of a text in lower case, as the tables below have them."""
    return set(text.encode("ascii", "ignore").lower().translate(_SEPARATORS).split())


_ROMANIAN = _words(
    "ati avem aveti buna bună când cand care ce cu cum este eu la mi multumesc mulțumesc mă nu pe "
    "pot program programul rezervare rezervarea rezervări rog salut si sunt un unde va vreau "
    "vorbesc doresc îmi imi cât cat costă costa aveți ați"
)
_ENGLISH = _words(
    "agent any are at can could do have hello hey hi how human is like me much my of open or "
    "please speak talk thank thanks the to want what when where with would you your"
)

_GREETINGS = _words("bună buna salut hello hi hey hei")
_THANKS = _words("mulțumesc multumesc mersi thanks thank")
# What is no question to the documents.
_POLITE = topic_words(
    "bună buna salut hello hi hey hei mulțumesc mersi thanks thank bine ziua seara day good ok"
)
_HUMAN, _RESERVATIONS, _HOURS = b"human", b"reservations", b"hours"

_STEM = 4
# The subjects of a word, by its first letters: the demo businesses' facts, and the tools.
_SUBJECTS = {
    word[:_STEM]: _words(topics)
    for words, topics in {
        "agent chat coleg consultant coordonator coordinator customer discut human legat legătura "
        "live operator om person reprezentant representative real speak talk uman vorb": "human",
        "rezervare booking reservation": "reservations",
        "program orar deschis închis inchis hours open close când when": "program hours",
        "adresa unde where address locație location": "adresă address",
        "telefon număr numar phone call number": "telefon phone",
        "meniu mânca manca food menu": "meniu",
        "preț pret cost price much": "meniu price",
        "parcare parking": "parcare parking",
    }.items()
    for word in _words(words)
}

_INNER_QUOTES = dict.fromkeys(map(ord, '"„“”«»'), "'")
_pieces = re.compile(r"\s*\S+").findall

_SUMMARY_CHARS = 200
"""Characters of the conversation that a summary repeats."""
_EXCERPT_CHARS = 700
"""Characters of a passage that an answer repeats."""

_PHRASES = {
    "ro": {
        "demo": "(Sunt un asistent demonstrativ, fără inteligență artificială.)",
        "greeting": "Bună! Cu ce vă pot ajuta?",
        "thanks": "Cu plăcere!",
        "no_reservations": "Nu găsesc nicio rezervare pe numele dumneavoastră.",
        "reservations": "Rezervările dumneavoastră:",
        "guests": "persoane",
        "unknown": "Nu cunosc încă nimic despre această firmă.",
        "offer": "Vă pot spune despre: {topics}.",
        "human": "Dacă doriți, puteți cere oricând un coleg.",
        "echo": "Am primit mesajul dumneavoastră.",
        "not_known": "Nu știu să vă răspund la aceasta.",
        "found": "Despre aceasta, documentele noastre spun: „{passage}”",
        "hours": "Programul nostru: {hours}.",
        "other_dates": "În zilele următoare, altfel: {dates}.",
        "open": "Acum este deschis.",
        "closed": "Acum este închis.",
        "opens": "Acum este închis; deschidem: {when}.",
    },
    "en": {
        "demo": "(I am a demo assistant, without artificial intelligence.)",
        "greeting": "Hello! How can I help you?",
        "thanks": "You are welcome!",
        "no_reservations": "I find no reservation in your name.",
        "reservations": "Your reservations:",
        "guests": "guests",
        "unknown": "I do not know anything about this business yet.",
        "offer": "I can tell you about: {topics}.",
        "human": "If you wish, you can ask for a colleague.",
        "echo": "I have received your message.",
        "not_known": "I do not know the answer to that.",
        "found": "Our documents say about this: “{passage}”",
        "hours": "Our opening hours: {hours}.",
        "other_dates": "Different on these coming days: {dates}.",
        "open": "We are open now.",
        "closed": "We are closed now.",
        "opens": "We are closed now; we open again: {when}.",
    },
    "de": {
        "demo": "(Ich bin ein Demo-Assistent ohne künstliche Intelligenz.)",
        "greeting": "Guten Tag! Wie kann ich Ihnen helfen?",
        "thanks": "Gern geschehen!",
        "no_reservations": "Ich finde keine Reservierung auf Ihren Namen.",
        "reservations": "Ihre Reservierungen:",
        "guests": "Personen",
        "unknown": "Ich weiß noch nichts über dieses Unternehmen.",
        "offer": "Ich kann Ihnen Auskunft geben über: {topics}.",
        "human": "Auf Wunsch hilft Ihnen unser Team.",
        "echo": "Ich habe Ihre Nachricht erhalten.",
        "not_known": "Das weiß ich leider nicht.",
        "found": "Dazu heißt es in den Unterlagen: „{passage}“",
        "hours": "Unsere Öffnungszeiten: {hours}.",
        "other_dates": "Abweichend an den nächsten Tagen: {dates}.",
        "open": "Jetzt ist geöffnet.",
        "closed": "Jetzt ist geschlossen.",
        "opens": "Jetzt ist geschlossen; wir öffnen wieder: {when}.",
    },
    "fr": {
        "demo": "(Je suis un assistant de démonstration, sans intelligence artificielle.)",
        "greeting": "Bonjour ! Comment puis-je vous aider ?",
        "thanks": "Je vous en prie !",
        "no_reservations": "Je ne trouve aucune réservation à votre nom.",
        "reservations": "Vos réservations :",
        "guests": "personnes",
        "unknown": "Je ne sais encore rien de cette entreprise.",
        "offer": "Je peux vous renseigner sur : {topics}.",
        "human": "Si vous le souhaitez, vous pouvez demander un collègue.",
        "echo": "J’ai bien reçu votre message.",
        "not_known": "Je ne connais pas la réponse à cette question.",
        "found": "Voici ce que disent nos documents : « {passage} »",
        "hours": "Nos horaires : {hours}.",
        "other_dates": "Horaires différents les jours suivants : {dates}.",
        "open": "C’est ouvert en ce moment.",
        "closed": "C’est fermé en ce moment.",
        "opens": "C’est fermé en ce moment ; réouverture : {when}.",
    },
    "hu": {
        "demo": "(Bemutató asszisztens vagyok, mesterséges intelligencia nélkül.)",
        "greeting": "Jó napot! Miben segíthetek?",
        "thanks": "Szívesen!",
        "no_reservations": "Nem találok foglalást az Ön nevén.",
        "reservations": "Az Ön foglalásai:",
        "guests": "fő",
        "unknown": "Még semmit sem tudok erről a cégről.",
        "offer": "Ezekről tudok tájékoztatást adni: {topics}.",
        "human": "Ha szeretné, egy munkatársunk segítségét is kérheti.",
        "echo": "Megkaptam az üzenetét.",
        "not_known": "Erre sajnos nem tudom a választ.",
        "found": "Erről ez áll a dokumentumainkban: „{passage}”",
        "hours": "Nyitvatartásunk: {hours}.",
        "other_dates": "A következő napokon eltérően: {dates}.",
        "open": "Most nyitva vagyunk.",
        "closed": "Most zárva vagyunk.",
        "opens": "Most zárva vagyunk; legközelebb nyitunk: {when}.",
    },
    "it": {
        "demo": "(Sono un assistente dimostrativo, senza intelligenza artificiale.)",
        "greeting": "Buongiorno! Come posso aiutarLa?",
        "thanks": "Prego!",
        "no_reservations": "Non trovo alcuna prenotazione a Suo nome.",
        "reservations": "Le Sue prenotazioni:",
        "guests": "persone",
        "unknown": "Non so ancora nulla di questa azienda.",
        "offer": "Posso darLe informazioni su: {topics}.",
        "human": "Se desidera, può chiedere di un collega.",
        "echo": "Ho ricevuto il Suo messaggio.",
        "not_known": "A questo non so rispondere.",
        "found": "I nostri documenti dicono al riguardo: «{passage}»",
        "hours": "I nostri orari: {hours}.",
        "other_dates": "Orari diversi nei prossimi giorni: {dates}.",
        "open": "Adesso è aperto.",
        "closed": "Adesso è chiuso.",
        "opens": "Adesso è chiuso; riapriamo: {when}.",
    },
    "es": {
        "demo": "(Soy un asistente de demostración, sin inteligencia artificial.)",
        "greeting": "¡Hola! ¿En qué puedo ayudarle?",
        "thanks": "¡De nada!",
        "no_reservations": "No encuentro ninguna reserva a su nombre.",
        "reservations": "Sus reservas:",
        "guests": "personas",
        "unknown": "Todavía no sé nada de esta empresa.",
        "offer": "Puedo informarle sobre: {topics}.",
        "human": "Si lo desea, puede pedir hablar con un compañero.",
        "echo": "He recibido su mensaje.",
        "not_known": "No sé la respuesta a eso.",
        "found": "Nuestros documentos dicen al respecto: «{passage}»",
        "hours": "Nuestro horario: {hours}.",
        "other_dates": "Distinto en los próximos días: {dates}.",
        "open": "Ahora está abierto.",
        "closed": "Ahora está cerrado.",
        "opens": "Ahora está cerrado; volvemos a abrir: {when}.",
    },
    "uk": {
        "demo": "(Це демонстраційний асистент без штучного інтелекту.)",
        "greeting": "Добрий день! Чим можу допомогти?",
        "thanks": "Будь ласка!",
        "no_reservations": "Бронювань на ваше ім’я не знайдено.",
        "reservations": "Ваші бронювання:",
        "guests": "осіб",
        "unknown": "Про цю компанію ще нічого не відомо.",
        "offer": "Можу розповісти про: {topics}.",
        "human": "За бажання ви можете попросити з’єднати вас із нашим співробітником.",
        "echo": "Ваше повідомлення отримано.",
        "not_known": "На це я не знаю відповіді.",
        "found": "У наших документах про це сказано: «{passage}»",
        "hours": "Наш графік роботи: {hours}.",
        "other_dates": "Інакше в найближчі дні: {dates}.",
        "open": "Зараз відчинено.",
        "closed": "Зараз зачинено.",
        "opens": "Зараз зачинено; відчиняємо: {when}.",
    },
}


class ScriptedAssistant(Assistant):
    """The demo assistant."""

    def __init__(self, clock: Clock, *, delay_s: float = 0.02, time_zone: tzinfo = UTC) -> None:
        """`delay_s`: between two words of the stream; 0: the whole answer comes at once.
        `time_zone`: that of a business that names none."""
        self._clock = clock
        self._time_zone = time_zone
        self._delay_s = delay_s

    async def answer(self, view: View, toolbox: Toolbox, say: AnswerWriter) -> None:
        reply = await _Script(view, self._time_zone).reply(toolbox)
        if self._delay_s <= 0:
            say(reply)
            return
        for piece in _pieces(reply):
            await self._clock.sleep(self._delay_s)
            say(piece)

    async def summarise(
        self,
        earlier: str | None,
        entries: Sequence[Entry],
        language: str,
        *,
        max_tokens: int,
        business: Business | None = None,
    ) -> SummaryResult:
        """Return the user's newest messages as they are."""
        texts = [e.text for e in entries if isinstance(e, Message) and e.author is Author.USER]
        return SummaryResult(" / ".join([earlier, *texts] if earlier else texts)[-_SUMMARY_CHARS:])


class _Script:
    """The reply to a user's messages, in their language."""

    def __init__(self, view: View, time_zone: tzinfo) -> None:
        self._view, self._business = view, view.business
        self._zone = zone_of(view.business, time_zone)
        self._text = view.question
        words = self._words = _words(self._text)
        self._subjects = {word[:_STEM] for word in words}
        for stem in _SUBJECTS.keys() & self._subjects:
            self._subjects |= _SUBJECTS[stem]
        self._language = _language(words, view)
        self._phrases = _PHRASES[self._language]

    async def reply(self, toolbox: Toolbox) -> str:
        phrases = self._phrases
        if self._view.is_suggestion:
            return await self._informed(toolbox)
        if (said := await self._acted(toolbox)) is not None:
            return f"{said} {phrases['demo']}".lstrip()
        wants_human = _HUMAN in self._subjects and asks_for_human(self._text)
        if wants_human and self._asks_first and not self._has_asked:
            return f"{self._asks_first} {phrases['demo']}"
        if wants_human or self._has_asked:
            arguments = {"reason": "user_request", "summary": self._text[:200]}
            handoff: Handoff = await _called(toolbox, TRANSFER, arguments)
            if (said := self._said_of(handoff)) is not None:
                return f"{said} {phrases['demo']}"
        return f"{await self._informed(toolbox)} {phrases['demo']}"

    async def _informed(self, toolbox: Toolbox) -> str:
        """Return what is known about the text, or else small talk."""
        if _RESERVATIONS in self._subjects:
            return self._list(await _called(toolbox, GET_RESERVATIONS, {}))
        return self._known() or await self._found(toolbox) or self._small_talk()

    async def _acted(self, toolbox: Toolbox) -> str | None:
        """Return what came of calls since the last answer, or comes of one that is asked for.

        A message that begins with the name of a business's tool asks for it, with its arguments:
        `reserve_table date=2026-12-01 guests=4`.
        """
        if said := [self._outcome(step) for step in _settled_steps(self._view)]:
            return "\n".join(said)
        name, _, rest = self._text.strip().partition(" ")
        tool = next((each for each in toolbox.tools if each.name == name), None)
        if tool is None:
            return None
        result = await toolbox.call(name, _arguments(tool, rest))
        match result.value:
            case WriteStep() as step:
                return self._outcome(step)
            case Proposal():
                return ""  # the question stands below the answer
            case str() as found:
                return found[:_EXCERPT_CHARS]
        return self._phrases["not_known"]

    def _outcome(self, step: WriteStep) -> str:
        """Return the outcome of a call; one that is unknown is told below the answer."""
        if step.state is WriteState.UNKNOWN:
            return ""
        known = step if step.state in OUTCOMES else replace(step, state=WriteState.FAILED)
        return outcome_text(known, self._language, self._view.words)

    @property
    def _asks_first(self) -> str:
        rules = self._business.handoff if self._business is not None else None
        return rules.ask_first if rules is not None and rules.enabled else ""

    @property
    def _has_asked(self) -> bool:
        """True if it has just asked what must be known before it hands over."""
        if not (asked := self._asks_first):
            return False
        entries = [e for e in self._view.entries if isinstance(e, Message)]
        last = next((e.text for e in reversed(entries) if e.author is Author.AI), "")
        return last.startswith(asked)

    def _said_of(self, handoff: Handoff) -> str | None:
        """Return what came of a request for a human; None: it is to answer itself."""
        language, words, availability = self._language, self._view.words, handoff.availability
        match handoff.outcome:
            case HandoffOutcome.REQUESTED:
                return localized(language, Text.REQUESTED, words)
            case HandoffOutcome.NOBODY_THERE:
                leave = not handoff.has_left_message
                return availability.text(language, words, Text.NOBODY, leave=leave)
            case HandoffOutcome.NOT_OFFERED:
                return availability.text(language, words, Text.NOT_OFFERED)
            case HandoffOutcome.NOT_HANDED_OVER:
                return None

    def _known(self) -> str:
        """Return the facts and the opening hours that are asked for; empty: there are none."""
        facts = self._business.facts if self._business is not None else {}
        if found := [fact for topic, fact in facts.items() if _stems(topic) & self._subjects]:
            return " ".join(found)
        hours = hours_at(self._business, self._view.session.location_id)
        return self._hours(hours) if hours is not None and _HOURS in self._subjects else ""

    def _hours(self, hours: OpeningHours) -> str:
        """Return the opening hours in words, and whether it is open now."""
        phrases, language, now = self._phrases, self._language, self._view.at
        texts = [phrases["hours"].format(hours=week_text(hours, language))]
        if dates := next_dates_text(hours, now.astimezone(self._zone).date(), language):
            texts.append(phrases["other_dates"].format(dates=dates))
        if hours.is_open(now, self._zone):
            texts.append(phrases["open"])
        elif (opening := hours.next_opening(now, self._zone)) is None:
            texts.append(phrases["closed"])
        else:
            when = day_and_time(opening.astimezone(self._zone), language)
            texts.append(phrases["opens"].format(when=when))
        return " ".join(texts)

    @property
    def _is_left_message(self) -> bool:
        """True if the text is a message for the colleagues, and no question."""
        missed = self._view.session.missed
        pending = self._view.pending
        is_it = missed is not None and bool(pending) and missed.seq >= pending[0].seq
        return is_it and "?" not in self._text

    async def _found(self, toolbox: Toolbox) -> str:
        """Return what the documents say, as it is written there; empty: there is no question."""
        if not self._view.has_knowledge or self._is_left_message:
            return ""
        if not topic_words(self._text) - _POLITE:
            return ""
        if not _THANKS.isdisjoint(self._words) and "?" not in self._text:
            return ""
        found: tuple[Finding, ...] = await _called(toolbox, SEARCH, {"query": self._text})
        if found:
            # What is quoted is no promise of this assistant's.
            passage = excerpt(found[0].passage.text, _EXCERPT_CHARS).translate(_INNER_QUOTES)
            return self._phrases["found"].format(passage=passage)
        return f"{self._phrases['not_known']} {self._offer()}"

    def _small_talk(self) -> str:
        phrases = self._phrases
        if not _THANKS.isdisjoint(self._words):
            return phrases["thanks"]
        opening = phrases["echo" if _GREETINGS.isdisjoint(self._words) else "greeting"]
        return f"{opening} {self._offer()}"

    def _offer(self) -> str:
        """Return what it can do for the customer."""
        phrases = self._phrases
        facts = self._business.facts if self._business is not None else {}
        if not facts and not self._view.has_knowledge:
            return phrases["unknown"]
        offers = [phrases["offer"].format(topics=", ".join(facts))] if facts else []
        if self._view.availability.is_offered:
            offers.append(phrases["human"])
        return " ".join(offers)

    def _list(self, reservations: tuple[Reservation, ...]) -> str:
        phrases = self._phrases
        if not reservations:
            return phrases["no_reservations"]
        lines = [f"{r.date} {r.time}, {r.guests} {phrases['guests']}" for r in reservations]
        return f"{phrases['reservations']} {'; '.join(lines)}."


async def _called(toolbox: Toolbox, name: str, arguments: ToolArguments) -> Any:
    """Return what a tool has found or done. Raises: AssistantFailed."""
    result = await toolbox.call(name, arguments)
    if result.value is None:
        raise AssistantFailed(f"{name}: {result.text}")
    return result.value


def _language(words: set[bytes], view: View) -> str:
    """Return Romanian or English, whose common words these are more; in doubt, the view's."""
    language = lookup(view.language, _PHRASES) or FALLBACK_LANGUAGE
    difference = len(words & _ROMANIAN) - len(words & _ENGLISH)
    # The two share words with the others, in which the customer has written.
    if difference == 0 or lookup(view.session.language or "", _PHRASES) not in (None, "ro", "en"):
        return language
    return "ro" if difference > 0 else "en"


@lru_cache(maxsize=1024)
def _stems(topic: str) -> frozenset[bytes]:
    """Return a fact's topic as the subjects of a text have it."""
    return frozenset(_words(topic)) | {word[:_STEM] for word in _words(topic)}


def _settled_steps(view: View) -> list[WriteStep]:
    """Return the steps after the last answer that end a call."""
    ended = (*OUTCOMES, WriteState.REJECTED)
    steps: list[WriteStep] = []
    for entry in reversed(view.entries):
        if isinstance(entry, Message) and entry.settles_seq:
            break
        step = entry.write if isinstance(entry, Message) else None
        if step is not None and step.state in ended:
            steps.append(step)
    return steps[::-1]


def _arguments(tool: Tool, text: str) -> ToolArguments:
    """Return the arguments of a call in words: `name=value`, in quotes where it has spaces."""
    properties = tool.parameters.get("properties")
    schemas = properties if isinstance(properties, dict) else {}
    try:
        pairs = [word.partition("=") for word in shlex.split(text)]
    except ValueError:  # a quote without its other
        return {}
    return {name: _typed(value, schemas.get(name)) for name, _, value in pairs}


def _typed(value: str, schema: object) -> object:
    """Return a value as its schema wants it."""
    if isinstance(schema, dict) and schema.get("type") in ("string", None):
        return value
    try:
        return msgspec.json.decode(value)
    except msgspec.DecodeError:
        return value
