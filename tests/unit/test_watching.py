"""The alerts, the dashboard, the runbook and the table of metrics name what there is."""

import json
import re
from itertools import product

import pytest
import yaml  # type: ignore[import-untyped]

from adapters.prometheus import Metrics
from adapters.prometheus_text import FORMER_NAMES, PREFIX, machine_text
from application.ports import Backlog
from entrypoints.expositions import added_up, lasting
from tests.support.observed import ended, notice
from tests.support.watching import ALERTS, DASHBOARD, alerts, families, problems, queries
from tests.unit.test_docs import ROOT, anchors

RUNBOOK = ROOT / "docs/runbook.md"
KNOWN = families()
ALERT_NAMES = [rule["alert"] for rule in alerts()]


@pytest.mark.parametrize("rule", alerts(), ids=ALERT_NAMES)
def test_an_alert_names_metrics_that_are_there(rule: dict[str, str]) -> None:
    assert problems(rule["expr"], KNOWN) == []


@pytest.mark.parametrize(("panel", "query"), queries().items(), ids=str)
def test_a_panel_names_metrics_that_are_there(panel: str, query: str) -> None:
    assert problems(query, KNOWN) == []


def test_each_panel_says_what_it_shows_in_which_unit_and_covers_no_other() -> None:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    covered: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        columns = range(place["x"], place["x"] + place["w"])
        cells = {*product(columns, range(place["y"], place["y"] + place["h"]))}
        assert columns.stop <= 24
        assert not covered & cells, panel["title"]
        covered |= cells
        if panel["type"] != "row":
            assert panel["title"]
            assert panel["description"]
            assert panel["fieldConfig"]["defaults"]["unit"]
            assert all(target["legendFormat"] for target in panel["targets"])
            assert panel["datasource"]["uid"] == "${datasource}"

    assert len({panel["id"] for panel in panels}) == len(panels)


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("rate(ai_agent_turn_total[5m])", "no metric ai_agent_turn_total"),
        ("sum by (le) (rate(ai_agent_turn_seconds[5m]))", "no metric ai_agent_turn_seconds"),
        ("up == 0 or turns_total > 3", "no metric turns_total"),
        ("max(ai_agent_chats{state='x'}) and vanished", "no metric vanished"),
        ('ai_agent_chats{state="live"}', "ai_agent_chats has no label state"),
        (
            'sum(ai_agent_turns_total{outcome=~"failed|timedout"})',
            "ai_agent_turns_total never begins with outcome=timedout",
        ),
        (
            'up{job="server"} * ai_agent_notices_total{kind="relay", outcome="ded"}',
            "ai_agent_notices_total never begins with outcome=ded",
        ),
    ],
)
def test_a_query_of_what_is_not_there_is_found(query: str, problem: str) -> None:
    assert problem in problems(query, KNOWN)


def test_each_alert_has_a_section_in_the_runbook_and_each_section_an_alert() -> None:
    sections = re.findall(r"^## (AiAgent\w+)$", RUNBOOK.read_text(), re.MULTILINE)

    assert sorted(sections) == sorted(ALERT_NAMES)
    for rule in alerts():
        page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
        assert (ROOT / page, anchor) == (RUNBOOK, rule["alert"].lower())
        assert anchor in anchors(RUNBOOK)


def test_each_section_of_the_runbook_says_what_it_means_how_to_see_it_and_what_to_do() -> None:
    _, *sections = re.split(r"^## (?=AiAgent)", RUNBOOK.read_text(), flags=re.MULTILINE)

    for section in sections:
        asked = re.findall(r"^\*\*([\w ]+)\.\*\*", section, re.MULTILINE)
        assert asked == ["What it means", "How to see", "What to do", "Whom to wake"], section


def test_the_queries_of_the_runbook_name_metrics_that_are_there() -> None:
    found = re.findall(r"^```promql\n(.*?)^```$", RUNBOOK.read_text(), re.MULTILINE | re.DOTALL)

    assert len(found) >= 6
    assert [problem for query in found for problem in problems(query, KNOWN)] == []


def test_what_the_runbook_calls_by_name_is_in_the_code() -> None:
    named = set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", RUNBOOK.read_text()))
    files = [*ROOT.glob("[ade]*/**/*.py"), *ROOT.glob("domain/*.py")]
    code = "".join(file.read_text() for file in files)
    samples = {sample for family in KNOWN.values() for sample in family.samples}
    # A loop's own (`entrypoints.supervision`) is made of its name.
    made = {f"{name}_crashed" for name in re.findall(r'forever\(\s*"(\w+)"', code)}

    assert {name for name in named - samples - made if not re.search(rf"\b{name}\b", code)} == set()


def test_each_alert_says_whom_it_wakes_and_what_is_wrong() -> None:
    for rule in alerts():
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}


def test_each_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    tests = yaml.safe_load(ALERTS.with_suffix(".test.yml").read_text())["tests"]
    cases = [case for test in tests for case in test["alert_rule_test"]]
    fires = {case["alertname"] for case in cases if case["exp_alerts"]}
    silent = {case["alertname"] for case in cases if not case["exp_alerts"]}

    assert fires == silent == set(ALERT_NAMES)


def test_each_metric_has_the_prefix_and_the_suffix_of_its_kind() -> None:
    for family in KNOWN.values():
        assert family.name.startswith((PREFIX, "process_"))
        assert family.name.endswith("_total") == (family.kind == "counter")
        assert not re.search(r"_(ms|millis|minutes|kb|mib|percent)\b", family.name)


def shown_by(text: str) -> dict[str, str]:
    """The value of each sample."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {sample: value for sample, _, value in (line.rpartition(" ") for line in lines)}


def workers_text() -> str:
    """The sums over two workers and one that has ended, as they are exposed."""
    texts = []
    for opened in (1, 2, 4):
        metrics = Metrics()
        for _ in range(opened):
            metrics.socket_opened()
            metrics.turn_ended(ended(seconds=0.3, first_token_s=0.2))
            metrics.notice_settled(notice(), "delivered")
        texts.append(metrics.text().decode())
    return added_up([*texts[:2], lasting(texts[2])])


def test_a_former_name_has_the_same_values_for_one_process_and_for_several() -> None:
    machine = machine_text(
        Backlog(3, None), oldest_s=1.0, dependencies={}, workers=2, workers_wanted=2
    )
    text = workers_text() + machine.decode()
    shown = shown_by(text)
    former = {
        sample: value
        for sample, value in shown.items()
        if not sample.startswith((PREFIX, "process_"))
    }

    assert shown["sockets_open"] == shown["ai_agent_sockets_open"] == "3.0"
    assert shown['turns_total{outcome="answered"}'] == "7.0"
    assert former == {sample: shown[f"{PREFIX}{sample}"] for sample in former}
    names = set(re.findall(r"^# HELP (\w+) Deprecated: use ai_agent_\w+$", text, re.MULTILINE))
    assert {re.sub("_(total|created)$", "", name) for name in names} == FORMER_NAMES


def test_ages_and_moments_of_workers_are_not_added_up() -> None:
    head = (
        "# HELP ai_agent_longest_wait_seconds Longest\n# TYPE ai_agent_longest_wait_seconds gauge"
    )
    texts = [f"{head}\nai_agent_longest_wait_seconds {age}\n" for age in (3.0, 8.0, 5.0)]

    assert shown_by(added_up(texts)) == {"ai_agent_longest_wait_seconds": "8.0"}
