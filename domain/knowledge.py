"""Passages of a business's own documents: finding out which of them an answer rests on."""

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct

from domain.message import Action, ToolOutcome, ToolUse
from domain.plain_text import folded
from domain.tokens import estimate_tokens, truncate

SEARCH = "search_knowledge"
"""The name of the tool that searches the documents."""
MAX_QUERY = 1_000
"""Characters of a text that is searched for."""
MAX_RECORDED_QUERY = 200
"""Characters of it that are stored."""
MAX_SOURCES = 4
MAX_PASSAGES, MAX_PASSAGE_TOKENS = 4, 1_500
"""The passages that a turn finds before the AI is asked, and the most tokens of them together; a
sixth of a view, where that is less."""
LEAST_PASSAGE_TOKENS = 40
"""A passage of which less would be left is not shown at all."""
MAX_TITLE, MAX_LOCATION = 200, 200

_NOT_LESS_THAN = 4
"""A passage counts where it shares at least the fourth part of what the best one does."""
_MIN_LETTERS = 2
_STOP = frozenset(
    """
    aceasta acest ai al ale am ar are as asa asta atat ati au avea avem aveti ca cand care cat
    cate ce cei cel cele cine cu cum cumva da daca de deci despre din doar ea ei el este esti eu
    fac face faceti fara fi fie fiti fost iar ii il imi in la le lor ma mai mea mele mi mie mine
    ne noi nostru nu ori pe pentru poate pot poti prin puteti rog sa sau se si spune spuneti
    stiti sub sunt sunteti ti toate tot tu un una unde unei unui unul va voastra voi vom vor
    vostru vrea vreau
    about an and any at be been but by can could did do does for from get go has have he how if
    into is it its just let many may me more much my no not of on or our out please shall she
    should so some tell than that the their them then there these they this those to up us want
    was we were what when where which who why will with would you your yours
    aber als auch auf aus bei bin bis das dass dem den der des die dies diese dieser doch du
    durch ein eine einem einen einer eines er es fur gibt haben hat hatte ich ihnen ihr ihre im
    ist ja kann kein keine konnen man mein meine mich mir mit nach nicht noch nur ob oder schon
    sein sich sie sind uber um und uns unser von wann war warum wenn wer werden wie wir wird wo
    zu zum zur
    aux avec avez avoir ces cette dans dois donc elle elles en est et etes etre fait ils je les
    leur mais moi mon nos notre nous ont ou oui par pas peut peux plus pour pourquoi qu quand
    que quel quelle quels qui quoi sans ses son sont sur te tous tout tres une vos votre vous
    ahogy ahol akkor amikor az azok azt egy ez ezek ezt ha hogy hogyan hol igen itt kell kerem
    ki lehet lesz mar meg mely mert mikor milyen mint nem nincs oket onok pedig vagy vagyok van
    vannak volt
    alla alle anche che chi ci come con cosa cui dal dalla degli dei del della delle dello di
    dove ed essere gli hai hanno ho io lo loro mia mio nel nella non nostro per perche piu posso
    puo quale quando quanto quello questa questo sei sono su sua sul sulla suo tra vi vorrei
    vostro
    ante como cual cuando cuanto desde donde ella ellos esta estan hay las los mas mis muy ni
    nosotros os para pero por porque puede puedo quien quiero ser sin sobre soy sus tiene tienen
    todo unos usted ustedes ya yo
    або але без був буде була були вам вас ваш ваша ваші ви вона вони все від він для до же за
    иого коли мене мені ми можна можу моі на нам нас наш не ні по при про скільки та так те ти
    то тому хто це цеи цього чи чого чому що щоб яка яке якии які іх іі
    """.split()
)
"""Folded words of the languages of the notices that do not show what a text is about."""

_word = re.compile(r"\w+").findall
_sentence_end = re.compile(r"[.!?…][\"»”')]*(?=\s)|(?=\n)").finditer


class Passage(Struct, frozen=True, kw_only=True):
    """A part of a document under one heading."""

    title: str
    """The headings above it, from the document's title on: `Menu › Desserts`."""
    location: str
    """Where an operator finds it: `menu.md#desserts`, `contract.pdf, page 3`."""
    text: str


class Finding(Struct, frozen=True, kw_only=True):
    """A passage that a search found; the best comes first."""

    passage: Passage
    score: float
    """Higher is better; comparable within one search alone."""


def topic_words(text: str) -> frozenset[str]:
    """Return the folded words of a text that say what it is about, and its numbers."""
    return frozenset(
        word
        for word in _word(folded(text))
        if (len(word) >= _MIN_LETTERS or word.isdecimal()) and word not in _STOP
    )


def sources(
    searches: Sequence[Sequence[Finding]],
    shown: Sequence[Passage],
    question: str,
    answer: str,
) -> tuple[Passage, ...]:
    """Return the passages that an answer rests on: at most MAX_SOURCES, one for each location.

    Those are the ones with which it shares words that are not the question's; a number counts
    twice. `searches`: what the AI has searched for, where one word is enough; with none of it, the
    best of each search is taken: the answer may be in another language. `shown`: what it was shown
    unasked, where two are needed.
    """
    if not (searches or shown):
        return ()
    told = topic_words(answer) - topic_words(question)
    found = [finding.passage for findings in searches for finding in findings]
    shared = {passage: _shared(passage, told) for passage in (*found, *shown)}
    least = max(shared.values(), default=0) / _NOT_LESS_THAN
    used = [each for each in found if shared[each] >= max(1, least)]
    if not used:
        used = [findings[0].passage for findings in searches if findings]
    used += [each for each in shown if shared[each] >= max(2, least)]
    used.sort(key=lambda passage: -shared[passage])
    return tuple({each.location: each for each in reversed(used)}.values())[::-1][:MAX_SOURCES]


def _shared(passage: Passage, told: frozenset[str]) -> int:
    """Count the words that a passage shares with others; a number of several digits counts 2."""
    common = told & topic_words(passage.text)
    return len(common) + sum(word.isdecimal() and len(word) > 1 for word in common)


def sources_action(passages: Iterable[Passage]) -> Action:
    """Return the action that names the sources of an answer."""
    items = [
        {"title": each.title[:MAX_TITLE], "location": each.location[:MAX_LOCATION]}
        for each in passages
    ]
    return {"type": "sources", "items": items}


def found_nothing(tools: Iterable[ToolUse]) -> bool:
    """Return whether these calls searched the documents, and no search found anything."""
    outcomes = {use.outcome for use in tools if use.name == SEARCH}
    return ToolOutcome.NOTHING in outcomes and ToolOutcome.FOUND not in outcomes


def passage_tokens(view_tokens: int) -> int:
    """Return the most tokens of all passages in a view of `view_tokens`."""
    return min(MAX_PASSAGE_TOKENS, view_tokens // 6)


def fit_passages(findings: Iterable[Finding], max_tokens: int) -> tuple[Passage, ...]:
    """Return the best passages that fit, the best first; the last of them may be cut."""
    chosen: list[Passage] = []
    for finding in findings:
        passage = finding.passage
        max_tokens -= estimate_tokens(passage.title) + estimate_tokens(passage.location)
        if len(chosen) == MAX_PASSAGES or max_tokens < LEAST_PASSAGE_TOKENS:
            break
        text = truncate(passage.text, max_tokens)
        max_tokens -= estimate_tokens(text)
        chosen.append(Passage(title=passage.title, location=passage.location, text=text))
    return tuple(chosen)


def excerpt(text: str, most: int) -> str:
    """Return a text, or as many of its sentences as fit into `most` characters."""
    text = text.strip()
    if len(text) <= most:
        return text
    ends = [found.end() for found in _sentence_end(text[: most + 1])]
    if ends:
        return text[: ends[-1]].rstrip()
    return f"{text[: most - 1].rpartition(' ')[0] or text[: most - 1]}…"
