"""The alert rules and the dashboard ask for metrics that exist, in a language that Prometheus understands."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.local import programs
from libs.runtime.metrics import Histogram, Metric

INFRA = Path(__file__).parents[2] / "infra"
RULES = INFRA / "prometheus/alerts.yml"
DASHBOARD = INFRA / "grafana/dashboards/darkroom.json"
PROCESS = {"process_cpu_seconds_total", "process_resident_memory_bytes"}
ADDED = {"le", "job", "instance"}  # labels that Prometheus or a histogram add

pytestmark = pytest.mark.services  # they bring promtool


def promtool(*arguments: str, folder: Path = RULES.parent) -> None:
    ran = subprocess.run([programs.need("promtool"), *arguments], cwd=folder, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def alerts() -> Iterator[str]:
    for group in yaml.safe_load(RULES.read_text())["groups"]:
        for rule in group["rules"]:
            yield rule["expr"]


def panels() -> Iterator[str]:
    board: dict[str, Any] = json.loads(DASHBOARD.read_text())
    for panel in board["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"].replace("$__rate_interval", "5m").replace("$__range", "1h")


def known_series() -> dict[str, set[str]]:
    """The name of every series, with its labels."""
    known: dict[str, set[str]] = {}
    for metric in Metric.all:
        ends = ("_bucket", "_sum", "_count") if isinstance(metric, Histogram) else ("",)
        known |= {metric.name + end: {*metric.labels, *ADDED} for end in ends}
    return known


@pytest.mark.parametrize("source", [alerts, panels])
def test_every_metric_and_label_that_is_asked_for_exists(source: Any) -> None:
    known, asked = known_series(), list(source())
    assert len(asked) > 10
    for expression in asked:
        names = set(re.findall(r"\b(?:darkroom|process)_\w+", expression))
        assert names or expression.startswith("up"), expression
        assert names <= known.keys() | PROCESS, expression
        labels = {*ADDED}.union(*(known.get(name, set()) for name in names))
        matchers = re.findall(r"[{,]\s*(\w+)(?:=|!=|=~|!~)\"", expression)
        groups = re.findall(r"by \(([^)]*)\)", expression)
        used = {*matchers, *(name.strip() for group in groups for name in group.split(","))}
        assert used <= labels, expression


def test_every_metric_is_on_the_dashboard_or_in_a_rule() -> None:
    asked = " ".join([*alerts(), *panels()])
    assert [metric.name for metric in Metric.all if metric.name not in asked] == []


def test_the_rules_fire_when_they_should_and_not_on_a_healthy_site() -> None:
    promtool("check", "config", "prometheus.yml")
    promtool("test", "rules", "alerts_test.yml")


def test_prometheus_understands_every_panel(tmp_path: Path) -> None:
    rules = [{"record": f"panel:{number}", "expr": text} for number, text in enumerate(panels())]
    (tmp_path / "panels.yml").write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    promtool("check", "rules", "panels.yml", folder=tmp_path)
