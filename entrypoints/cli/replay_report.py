"""The report of a replay: as text, as JSON, and as one page that loads nothing."""

import html
import re
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from heapq import nlargest
from pathlib import Path
from string import Template

import msgspec
from msgspec import Struct

from domain.answer_comparison import (
    BoundCheck,
    ChangeKind,
    ComparedAnswer,
    ComparedTurn,
    ReplayBounds,
    ReplaySums,
    SideSums,
    check_bounds,
)
from entrypoints.cli.operations import CONTROLS
from entrypoints.cli.replay_files import Manifest

MAX_REPORTED = 500
"""The turns that a report has, those that have changed most; all are in the folder."""
MAX_LISTED_TURNS = 10
"""The turns that the text has."""
MAX_MADE_WITH = 10
"""The models and versions of the recorded answers that are shown: the most frequent ones."""
MAX_MARKED = 400
"""The words of an answer up to which the page marks those that the other has not."""
LEAST_MARKED = 0.3
"""The similarity below which nothing is marked, as nearly all would be."""
_TEMPLATE = Path(__file__).with_name("replay_report.html")


class ReplayReport(Struct, frozen=True, kw_only=True, rename="camel"):
    """The result of a replay."""

    business_id: str
    before: str
    """Where the first of the two answers comes from."""
    candidate: str
    sums: ReplaySums
    bounds: list[BoundCheck]
    turns: list[ComparedTurn]
    """Those that have changed most, the most changed first."""

    @property
    def is_exceeded(self) -> bool:
        """True if a bound that was set is exceeded."""
        return any(bound.is_exceeded for bound in self.bounds)


def report_of(
    turns: Iterable[ComparedTurn], manifest: Manifest, bounds: ReplayBounds
) -> ReplayReport:
    """Sum the turns up, and choose those that have changed most."""
    sums = ReplaySums()

    def counted() -> Iterator[ComparedTurn]:
        for turn in turns:
            sums.add(turn)
            yield turn

    most = nlargest(MAX_REPORTED, counted(), key=lambda turn: turn.weight)
    return ReplayReport(
        business_id=manifest.business_id,
        before=manifest.before,
        candidate=manifest.candidate,
        sums=sums,
        bounds=check_bounds(sums, bounds),
        turns=most,
    )


def write_report(folder: Path, report: ReplayReport) -> None:
    """Write the report as JSON and as a page."""
    document = msgspec.json.format(msgspec.json.encode(report)) + b"\n"
    (folder / "report.json").write_bytes(document)
    (folder / "report.html").write_text(html_report(report), "utf-8")


# As text.


def text_report(report: ReplayReport) -> str:
    """Return the sums, the bounds, and the turns that have changed most."""
    sums = report.sums
    lines = [
        f"{report.business_id}: {sums.turns:,} turns",
        f"before  {report.before}",
        *(f"        {made_with}: {count:,}" for made_with, count in _made_with(sums)),
        f"after   {report.candidate}",
        "",
        f"changed {sums.changed:,} of {sums.turns:,} turns ({_share(sums.changed, sums.turns)})",
        *(f"  {kind:<12}{count:>7,}" for kind, count in _by_kind(sums)),
        f"  {'similarity':<12}{sums.similarity:>7.2f}",
        "",
        f"{'':<28}{'before':>12}{'after':>12}",
        *(f"{name:<28}{one:>12}{other:>12}" for name, one, other in _rows(sums)),
    ]
    if sums.diverged:
        lines += ["", f"{sums.diverged:,} turns called a tool that the record has no answer of"]
    lines += ["", *map(_bound_line, report.bounds)] if report.bounds else []
    changed = [turn for turn in report.turns if turn.changes][:MAX_LISTED_TURNS]
    lines += ["", "most changed:"] if changed else []
    for turn in changed:
        what = ", ".join(turn.changes)
        lines.append(f"  {turn.session_id} {turn.seq}  {what}  {turn.similarity:.2f}")
        lines.append(f"    {_in_line(turn.question)[:100]}")
    return CONTROLS.sub("\ufffd", "\n".join(lines))


def _by_kind(sums: ReplaySums) -> list[tuple[ChangeKind, int]]:
    return [(kind, sums.by_kind[kind]) for kind in ChangeKind if kind in sums.by_kind]


def _made_with(sums: ReplaySums) -> list[tuple[str, int]]:
    """Return what the first of the two answers were made with, and how many each time."""
    made_with = sums.before.made_with
    most = nlargest(MAX_MADE_WITH, made_with, key=made_with.__getitem__)
    return [(each, made_with[each]) for each in most]


def _rows(sums: ReplaySums) -> list[tuple[str, str, str]]:
    """Return the rows of figures: what, before, after."""
    before, after = sums.before, sums.after
    names = sorted({*before.tools, *after.tools})
    counts = [
        ("hand-offs", before.handoffs, after.handoffs),
        ("answers with sources", before.with_sources, after.with_sources),
        *((f"calls of {name}", before.tools.get(name, 0), after.tools.get(name, 0))
          for name in names),
        (f"tokens ({sums.counted:,} turns)", before.tokens, after.tokens),
        ("failed", before.failed, after.failed),
    ]  # fmt: skip
    rows = [(name, f"{one:,}", f"{other:,}") for name, one, other in counts]
    rows.insert(-1, ("mean time", _seconds(before), _seconds(after)))
    return rows


def _seconds(side: SideSums) -> str:
    return f"{side.seconds / side.timed:.2f} s" if side.timed else "-"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}%" if whole else "-"


def _bound_line(bound: BoundCheck) -> str:
    unit = "" if bound.name == "max-failed" else "%"
    found = (
        "not known: no tokens were recorded" if bound.found is None else f"{bound.found:g}{unit}"
    )
    state = "EXCEEDED" if bound.is_exceeded else "kept"
    return f"--{bound.name} {bound.limit:g}{unit}: {found}, {state}"


def _in_line(text: str) -> str:
    return " ".join(text.split())


# As a page.


def html_report(report: ReplayReport) -> str:
    """Return the report as one page: what others wrote is escaped, and nothing is loaded."""
    template = _TEMPLATE.read_text("utf-8")
    outer, turn_template = template.split("<!-- a turn -->\n")
    sums = report.sums
    figures = "".join(
        f"<tr><th>{_escaped(name)}</th><td>{one}</td><td>{other}</td></tr>"
        for name, one, other in _rows(sums)
    )
    bounds = "".join(
        f'<li class="{"exceeded" if each.is_exceeded else "kept"}">'
        f"{_escaped(_bound_line(each))}</li>"
        for each in report.bounds
    )
    kinds = "".join(
        f'<label><input type="radio" name="kind" value="{_css_name(kind)}">'
        f"{_escaped(kind)} <b>{count:,}</b></label>"
        for kind, count in _by_kind(sums)
    )
    made = [
        f"<li>{_escaped(made_with)} <b>{count:,}</b></li>" for made_with, count in _made_with(sums)
    ]
    left_out = sums.turns - len(report.turns)
    return Template(outer).substitute(
        business=_escaped(report.business_id),
        before=_escaped(report.before),
        candidate=_escaped(report.candidate),
        made="".join(made),
        turns=f"{sums.turns:,}",
        changed=f"{sums.changed:,}",
        share=_share(sums.changed, sums.turns),
        similarity=f"{sums.similarity:.0%}",
        figures=figures,
        bounds=f'<ul class="bounds">{bounds}</ul>' if bounds else "",
        kinds=kinds,
        filters="".join(
            f'body:has([value="{_css_name(kind)}"]:checked) article:not(.{_css_name(kind)})'
            "{display:none}"
            for kind in ChangeKind
        ),
        articles="".join(_article(turn_template, turn) for turn in report.turns),
        more=f"{left_out:,} more turns, which have changed less, are in turns.jsonl."
        if left_out
        else "",
    )


def _article(template: str, turn: ComparedTurn) -> str:
    before, after = _marked(turn.before.text, turn.after.text, turn.similarity)
    tags = "".join(f"<li>{_escaped(kind)}</li>" for kind in turn.changes)
    diverged = "".join(
        f'<li class="diverged">{_escaped(name)}: not in the record, not executed</li>'
        for name in turn.diverged
    )
    return Template(template).substitute(
        classes=" ".join(["changed" if turn.changes else "same", *map(_css_name, turn.changes)]),
        session=_escaped(turn.session_id),
        seq=turn.seq,
        at=_escaped(turn.at[:16].replace("T", " ")),
        similarity=f"{turn.similarity:.0%} alike",
        tags=tags + diverged or "<li>same</li>",
        question=_escaped(turn.question),
        before=before or _no_answer(turn.before),
        after=after or _no_answer(turn.after),
        before_facts=_facts(turn.before, turn.after),
        after_facts=_facts(turn.after, turn.before),
    )


def _no_answer(answer: ComparedAnswer) -> str:
    return f"<em>{_escaped(answer.failure or 'no text')}</em>"


def _facts(answer: ComparedAnswer, other: ComparedAnswer) -> str:
    """Return what an answer has beside its text; what the other has not is marked."""
    rows = {
        "failed": (answer.failure if answer.text else "", other.failure),
        "hand-off": (answer.handoff, other.handoff),
        "tools": (_tools(answer), _tools(other)),
        "sources": (", ".join(answer.sources), ", ".join(other.sources)),
        "claims": (", ".join(answer.claims), ", ".join(other.claims)),
        "language": (answer.language or "", other.language or ""),
    }
    shown = [
        f"<dt>{name}</dt><dd{' class=differs' if own != others else ''}>{_escaped(own)}</dd>"
        for name, (own, others) in rows.items()
        if own
    ]
    spent = [f"{len(answer.text):,} characters"]
    if answer.tokens is not None:
        spent.append(f"{answer.tokens:,} tokens")
    if answer.seconds is not None:
        spent.append(f"{answer.seconds:.1f} s")
    return f"{''.join(shown)}<dt>cost</dt><dd>{', '.join(spent)}</dd>"


def _tools(answer: ComparedAnswer) -> str:
    calls = [
        f"{use.name}({use.query or use.arguments or ''}): {use.outcome}" for use in answer.tools
    ]
    return "\n".join(calls)


_words = re.compile(r"\S+\s*").findall


def _marked(before: str, after: str, alike: float) -> tuple[str, str]:
    """Return two texts, escaped, with the words marked that the other has not."""
    one, other = _words(before), _words(after)
    is_long = max(len(one), len(other)) > MAX_MARKED
    if is_long or before == after or alike < LEAST_MARKED:
        return _escaped(before), _escaped(after)
    blocks = SequenceMatcher(
        None, [each.strip() for each in one], [each.strip() for each in other], autojunk=False
    ).get_opcodes()
    left, right = "", ""
    for kind, i, j, k, m in blocks:
        own, others = _escaped("".join(one[i:j])), _escaped("".join(other[k:m]))
        is_same = kind == "equal"
        left += own if is_same or not own else f"<del>{own}</del>"
        right += others if is_same or not others else f"<ins>{others}</ins>"
    return left, right


def _css_name(kind: str) -> str:
    return f"k-{kind}"


def _escaped(text: str) -> str:
    return html.escape(CONTROLS.sub("\ufffd", text))
