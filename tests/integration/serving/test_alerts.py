"""The alert rules: valid, explained, and about what /metrics really exports."""

import asyncio
import re
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from alexandria.workflows.operating.health import check_health, unopened_library
from alexandria.workflows.workspace import Workspace
from serving.telemetry.metrics import Metrics, MetricsMiddleware

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "deploy" / "prometheus"
LEVELS = {"critical", "warning", "info"}
FROM_PROMETHEUS = {"job", "instance"}
"""Labels that Prometheus itself adds to whatever it scrapes."""
FIXED_WORDS = {"reason", "outcome", "state", "part"}
"""Labels whose values are words of ours; a rule may name no other word."""
DURATION = re.compile(r"\d+[smhd]")

Exported = dict[str, list[dict[str, str]]]
"""The labels of every series, by metric."""


def load_rules() -> list[dict[str, Any]]:
    document = yaml.safe_load((FOLDER / "alerts.yml").read_text(encoding="utf-8"))
    assert set(document) == {"groups"}
    return [rule for group in document["groups"] for rule in group["rules"]]


RULES = load_rules()
each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])


@lru_cache
def cached(number: int) -> int:
    return number


@pytest.fixture(scope="module")
def anchors() -> set[str]:
    """The headings of the operations page, as links name them."""
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}


@pytest.fixture
def exported(workspace: Workspace) -> Exported:
    """What an app that has done a bit of everything exports."""
    metrics = Metrics()
    metrics.watch_pool(workspace.database.pool)
    cached(1)
    metrics.watch_cache("sentences", cached.cache_info)
    metrics.show_parts([*check_health(workspace), unopened_library("")])
    metrics.documents.labels("folder").set(1)
    metrics.waiting.labels("folder").set(1)
    metrics.unread.labels("folder").set(1)
    with metrics.query() as watch:
        watch.finish(is_answered=True)
    _run(_request(metrics))
    series: Exported = {"up": [{}]}
    for family in text_string_to_metric_families(generate_latest(metrics.registry).decode()):
        for sample in family.samples:
            series.setdefault(sample.name, []).append(sample.labels)
    return series


async def _request(metrics: Metrics) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        assert message["status"] == 200

    scope: dict[str, Any] = {"type": "http", "method": "GET", "headers": []}
    await MetricsMiddleware(app, metrics)(scope, receive, send)


def selectors(expression: str) -> Iterator[Any]:
    """Every selection of a metric in an expression, which is parsed as Prometheus would."""
    found: list[Any] = []

    def collect(node: Any) -> bool:
        if isinstance(node, promql_parser.VectorSelector):
            found.append(node)
        elif isinstance(node, promql_parser.MatrixSelector):
            found.append(node.vector_selector)
        return True

    promql_parser.walk(promql_parser.parse(expression), collect)
    yield from {id(node): node for node in found}.values()


def grouped_by(expression: str) -> set[str]:
    """Labels that an expression keeps or leaves out by name."""
    words = re.findall(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)", expression)
    return {word.strip() for found in words for word in found.split(",")}


def test_there_are_three_levels_and_each_name_is_given_once() -> None:
    assert {rule["labels"]["severity"] for rule in RULES} == LEVELS
    names = [rule["alert"] for rule in RULES]
    assert len(set(names)) == len(names)


@each_rule
def test_a_rule_is_whole_and_explained(rule: dict[str, Any], anchors: set[str]) -> None:
    assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"Alexandria[A-Z]\w+", rule["alert"])
    assert DURATION.fullmatch(rule["for"])
    assert rule["labels"]["severity"] in LEVELS
    notes = rule["annotations"]
    assert set(notes) == {"summary", "description", "runbook"}
    assert notes["summary"].endswith(".")
    assert notes["description"].endswith(".")
    page, _, anchor = notes["runbook"].partition("#")
    assert page == "docs/operations.md"
    assert anchor in anchors, f"docs/operations.md has no heading for #{anchor}."


@each_rule
def test_an_expression_asks_for_what_is_exported(rule: dict[str, Any], exported: Exported) -> None:
    chosen = list(selectors(rule["expr"]))
    assert chosen
    known: set[str] = set(FROM_PROMETHEUS)
    for selector in chosen:
        assert selector.name in exported, f"/metrics exports no {selector.name}."
        series = exported[selector.name]
        labels = {label for one in series for label in one} | FROM_PROMETHEUS
        known |= labels
        for matcher in selector.matchers.matchers:
            assert matcher.name in labels, f"{selector.name} has no label {matcher.name}."
            if matcher.name in FIXED_WORDS:
                words = {one[matcher.name] for one in series}
                assert set(matcher.value.split("|")) <= words, f"{matcher} means no series."
    assert grouped_by(rule["expr"]) <= known
    used = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["description"]))
    assert used <= known


@pytest.mark.parametrize(
    "wrong",
    [
        "rate(http_requests_total)",
        "sum(rate(http_requests_total[5m])",
        "increases(http_requests_total[5m])",
        "up == 0 for 5m",
    ],
)
def test_a_wrong_expression_would_be_found(wrong: str) -> None:
    with pytest.raises(ValueError):
        list(selectors(wrong))


def test_the_example_scrapes_the_metrics_and_loads_the_rules() -> None:
    document = yaml.safe_load((FOLDER / "prometheus.yml").read_text(encoding="utf-8"))
    assert document["rule_files"] == ["alerts.yml"]
    [job] = document["scrape_configs"]
    assert (job["job_name"], job["metrics_path"]) == ("alexandria", "/metrics")
    assert job["static_configs"][0]["targets"]
    jobs = {
        matcher.value
        for rule in RULES
        for selector in selectors(rule["expr"])
        for matcher in selector.matchers.matchers
        if matcher.name == "job"
    }
    assert jobs == {job["job_name"]}


def _run(work: Coroutine[Any, Any, None]) -> None:
    """In a thread: a loop that a library left in this one stays."""
    with ThreadPoolExecutor(1) as threads:
        threads.submit(asyncio.run, work).result()
