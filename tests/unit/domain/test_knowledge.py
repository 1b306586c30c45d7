"""Passages: which ones an answer rests on, what of them fits, and what was searched in vain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.knowledge import (
    MAX_PASSAGES,
    MAX_SOURCES,
    SEARCH,
    Finding,
    Passage,
    excerpt,
    fit_passages,
    found_nothing,
    passage_tokens,
    sources,
    sources_action,
    topic_words,
)
from domain.message import ToolOutcome, ToolUse
from domain.plain_text import folded
from domain.tokens import estimate_tokens


def passage(text: str, location: str = "menu.md", title: str = "Meniu") -> Passage:
    return Passage(title=title, location=location, text=text)


def found(*passages: Passage) -> tuple[Finding, ...]:
    return tuple(Finding(passage=each, score=1.0) for each in passages)


DOGS = passage("Câinii sunt bineveniți pe terasă, în lesă.", "house.md#dogs", "Casa › Câini")
PIZZA = passage("Pizza Margherita costă 38 de lei.", "menu.md#pizza", "Meniu › Pizza")
WINE = passage("Vinul casei costă 22 de lei paharul.", "menu.md#wine", "Meniu › Vin")
ROOM = passage("Salonul are 60 de locuri și poate fi rezervat.", "house.md#room", "Casa › Salon")


# Words.


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Aveți Wi-Fi?", {"wi"}),
        ("Ce program aveți sâmbătă?", {"program", "sambata"}),
        ("ȘTRUDEL cu mere", {"strudel", "mere"}),
        ("Straße 12", {"strasse", "12"}),
        ("What is the price?", {"price"}),
        ("Чи є у вас Wi-Fi?", {"wi", "fi"}),
        ("și de ce nu?", set()),
        ("?!… 🙂", set()),
    ],
)
def test_what_a_text_is_about_are_its_folded_words_without_the_common_ones(
    text: str, words: set[str]
) -> None:
    assert topic_words(text) - {"fi"} == words - {"fi"}


@given(st.text(max_size=300))
def test_folding_again_changes_nothing(text: str) -> None:
    assert folded(folded(text)) == folded(text)


# Sources.


def test_a_passage_that_the_ai_has_searched_for_is_a_source_where_its_words_are_in_the_answer() -> (
    None
):
    answer = "Da, pe terasă."

    assert sources([found(DOGS, PIZZA)], (), "Pot veni cu câinele?", answer) == (DOGS,)


def test_where_the_answer_has_no_word_of_them_the_best_of_each_search_is_its_source() -> None:
    answer = "Yes, dogs may sit outside."

    assert sources([found(DOGS, ROOM), found(WINE)], (), "Dogs?", answer) == (DOGS, WINE)


def test_a_passage_that_was_only_shown_needs_two_words_or_a_number() -> None:
    question = "Cât costă o pizza?"

    assert sources([], (PIZZA, WINE, DOGS), question, "O Margherita e 38.") == (PIZZA,)
    assert sources([], (PIZZA,), question, "Margherita.") == ()
    assert sources([], (PIZZA,), question, "38.") == (PIZZA,)


def test_the_words_of_the_question_show_nothing() -> None:
    question = "Pizza Margherita costă 38 de lei?"

    assert sources([], (PIZZA, WINE), question, question) == ()


def test_a_single_digit_is_a_word_like_any_other() -> None:
    assert sources([], (passage("Etajul 3"),), "Unde?", "3") == ()


def test_a_passage_as_it_is_written_is_the_one_source() -> None:
    long = passage(
        "Terasa se deschide în aprilie și are patruzeci de locuri la umbră, cu priveliște spre "
        "lac. Mesele se rezervă telefonic, iar copiii primesc meniuri speciale și creioane.",
        "house.md#terrace",
    )
    other = passage("Copiii sub șapte ani mănâncă gratuit duminica.", "menu.md#kids")

    assert sources([found(long, other)], (other,), "Aveți terasă?", long.text) == (long,)


def test_an_answer_from_two_passages_has_both_sources() -> None:
    answer = "Margherita e 38 de lei, iar un pahar din vinul casei 22."

    assert set(sources([], (PIZZA, WINE, DOGS), "Ce prețuri aveți?", answer)) == {PIZZA, WINE}


def test_without_passages_there_is_no_source() -> None:
    assert sources([], (), "Da?", "Nu știu.") == ()
    assert sources([()], (), "Da?", "Nu știu.") == ()


words = st.sampled_from("pizza vin 38 22 lei terasă câine salon 60 3 the de și".split())
written = st.lists(words, max_size=12).map(" ".join)
some_passages = st.lists(
    st.builds(passage, written, st.sampled_from(["a.md", "b.md", "c.md#x", "d.pdf, page 1", "e"])),
    max_size=6,
)


@given(st.lists(some_passages, max_size=3), some_passages, written, written)
def test_sources_are_few_of_what_there_was_one_for_each_place_and_none_without_a_shared_word(
    searched: list[list[Passage]], shown: list[Passage], question: str, answer: str
) -> None:
    searches = [found(*passages) for passages in searched]
    used = sources(searches, tuple(shown), question, answer)
    told = topic_words(answer) - topic_words(question)

    assert len(used) <= MAX_SOURCES
    assert len({each.location for each in used}) == len(used)
    assert {*used} <= {*shown, *(each for passages in searched for each in passages)}
    if not any(searched):
        assert all(told & topic_words(each.text) for each in used)
    else:
        assert used
    if not told:
        assert {*used} <= {passages[0] for passages in searched if passages}
    assert sources(searches, tuple(shown), question, answer) == used


@given(some_passages, written, written)
def test_what_was_searched_for_is_never_less_of_a_source_than_what_was_only_shown(
    passages: list[Passage], question: str, answer: str
) -> None:
    shown = sources([], tuple(passages), question, answer)
    searched = sources([found(*passages)], (), question, answer)

    assert {each.location for each in shown} <= {each.location for each in searched} or (
        len(searched) == MAX_SOURCES
    )


def test_the_action_has_the_titles_and_places_and_is_bounded() -> None:
    long = passage("x", "l" * 5_000, "t" * 5_000)
    action = sources_action([DOGS, long])
    items = action["items"]
    assert isinstance(items, list)

    assert action["type"] == "sources"
    assert items[0] == {"title": "Casa › Câini", "location": "house.md#dogs"}
    assert len(items[1]["title"]) == len(items[1]["location"]) == 200


# What fits.


@given(st.lists(st.text(max_size=2_000), max_size=8), st.integers(0, 1_500))
def test_passages_keep_their_bound_and_their_order(texts: list[str], most: int) -> None:
    given_passages = [passage(text, f"{number}.md") for number, text in enumerate(texts)]
    fit = fit_passages(found(*given_passages), most)
    each_more = estimate_tokens("Meniu") + estimate_tokens("0.md")

    assert len(fit) <= MAX_PASSAGES
    assert [each.location for each in fit] == [f"{number}.md" for number in range(len(fit))]
    assert sum(estimate_tokens(each.text) + each_more for each in fit) <= max(0, most)
    assert all(
        each.text == whole.text or each.text.endswith("…")
        for each, whole in zip(fit, given_passages, strict=False)
    )


@pytest.mark.parametrize("view_tokens", [500, 6_000, 1_000_000])
def test_passages_leave_a_view_most_of_its_room(view_tokens: int) -> None:
    assert 0 < passage_tokens(view_tokens) <= min(1_500, view_tokens // 6)


@pytest.mark.parametrize(
    ("text", "most", "cut"),
    [
        ("Una. Două.", 100, "Una. Două."),
        ("Una mai lungă. Două mai lungi. Trei.", 32, "Una mai lungă. Două mai lungi."),
        ("Una mai lungă. Două mai lungi.", 20, "Una mai lungă."),
        ("Pizza\nPaste\nSupe", 12, "Pizza\nPaste"),
        ("fără nicio oprire până la capăt", 15, "fără nicio…"),
        ("x" * 50, 10, "x" * 9 + "…"),
        ("„Bine.” Și apoi.", 10, "„Bine.”"),
    ],
)
def test_an_excerpt_ends_with_a_sentence(text: str, most: int, cut: str) -> None:
    assert excerpt(text, most) == cut


@given(st.text(max_size=300), st.integers(2, 100))
def test_an_excerpt_is_the_beginning_of_a_text_and_keeps_its_bound(text: str, most: int) -> None:
    cut = excerpt(text, most)

    assert len(cut) <= most
    assert text.strip().startswith(cut.removesuffix("…"))


# Unanswered.


def use(name: str, outcome: ToolOutcome) -> ToolUse:
    return ToolUse(name=name, outcome=outcome)


@pytest.mark.parametrize(
    ("uses", "is_unanswered"),
    [
        ([], False),
        ([use(SEARCH, ToolOutcome.NOTHING)], True),
        ([use(SEARCH, ToolOutcome.NOTHING), use(SEARCH, ToolOutcome.FOUND)], False),
        ([use(SEARCH, ToolOutcome.FAILED)], False),
        ([use(SEARCH, ToolOutcome.FAILED), use(SEARCH, ToolOutcome.NOTHING)], True),
        ([use("get_reservations", ToolOutcome.NOTHING)], False),
    ],
)
def test_unanswered_is_what_was_searched_in_vain(uses: list[ToolUse], is_unanswered: bool) -> None:
    assert found_nothing(uses) is is_unanswered
