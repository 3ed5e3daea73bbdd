"""The manifests and the Helm chart: valid, of one meaning, and such that Darkroom starts in them."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate  # pyright: ignore[reportMissingTypeStubs]
import pytest
import yaml

from apps.cli.main import SECTIONS
from infra.kubernetes import chart, programs
from libs import __version__
from libs.contracts.enums import JobStatus, Priority
from libs.settings import load_settings
from libs.settings.fields import WORKER_POOLS
from libs.storage.database.engine import Engine
from libs.storage.database.postgres import PooledPostgres
from libs.storage.database.tables import Job, now
from tests.storage.rows import a_queued_job

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "infra" / "kubernetes"
KEDA = json.loads((ROOT / "tests/infra/keda-2.16.schema.json").read_text())
VERSION = "1.34"

Manifest = dict[str, Any]


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return programs.unpacked(tmp_path_factory.mktemp("programs"))


def output_of(*command: str | Path) -> list[Manifest]:
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return sorted(
        (found for found in yaml.safe_load_all(printed) if found),
        key=lambda one: (one["kind"], one["metadata"]["name"]),
    )


def kustomized(tools: dict[str, Path], folder: str) -> list[Manifest]:
    return output_of(tools["kubectl"], "kustomize", FOLDER / folder)


def templated(tools: dict[str, Path], *options: str) -> list[Manifest]:
    return output_of(tools["helm"], "template", "darkroom", FOLDER / "chart", *options)


def pods(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    """The name and the pod of each workload."""
    for one in manifests:
        if one["kind"] in ("Deployment", "Job"):
            yield one["metadata"]["name"], one["spec"]["template"]["spec"]


def check(manifests: list[Manifest]) -> None:
    """Validate against the schemas of Kubernetes, with unknown fields refused, and against KEDA's."""
    for one in manifests:
        if one["apiVersion"].startswith("keda.sh/"):
            jsonschema.validate(one, KEDA[one["kind"]])
            continue
        kubernetes_validate.validate(one, VERSION, strict=True)


def test_the_example_and_both_ways_of_scaling_are_valid(tools: dict[str, Path]) -> None:
    example = kustomized(tools, "overlays/example")
    check(example)
    assert {one["kind"] for one in example} >= {
        *("Deployment", "Service", "Ingress", "Job", "ConfigMap", "Secret", "NetworkPolicy"),
        *("PodDisruptionBudget", "HorizontalPodAutoscaler", "ScaledObject", "TriggerAuthentication"),
    }
    for name, pod in pods(example):
        for container in (*pod.get("initContainers", []), *pod["containers"]):
            assert container["image"] == f"registry.example.org/darkroom:{__version__}", name
    for variant in ("postgres", "rabbitmq"):
        check(templated(tools, "--set", f"keda={variant}"))


def test_the_chart_is_what_make_docs_writes() -> None:
    for path, text in chart.files().items():
        assert (FOLDER / "chart" / path).read_text() == text, path


def test_the_chart_installs_what_the_base_does(tools: dict[str, Path]) -> None:
    base, rendered = kustomized(tools, "base"), templated(tools)
    (job,) = (one for one in rendered if one["kind"] == "Job")
    assert job["metadata"]["name"] == "darkroom-migrate-1"
    job["metadata"]["name"] = "darkroom-migrate"
    assert rendered == base


def test_the_chart_takes_values_and_leaves_the_number_of_workers_to_keda(tools: dict[str, Path]) -> None:
    options = ("keda=postgres", "image=example.org/darkroom:9", "settings.DARKROOM_DRAIN_S=7")
    rendered = templated(tools, *(part for option in options for part in ("--set-string", option)))
    assert {container["image"] for _, pod in pods(rendered) for container in pod["containers"]} == {
        "example.org/darkroom:9"
    }
    by_name = {(one["kind"], one["metadata"]["name"]): one for one in rendered}
    assert by_name["ConfigMap", "darkroom"]["data"]["DARKROOM_DRAIN_S"] == "7"
    for pool in ("interactive", "bulk"):
        assert "replicas" not in by_name["Deployment", f"darkroom-worker-{pool}"]["spec"]
        target = by_name["ScaledObject", f"darkroom-worker-{pool}"]["spec"]["scaleTargetRef"]["name"]
        assert ("Deployment", target) in by_name


def test_every_pod_has_settings_that_darkroom_starts_with(tools: dict[str, Path], tmp_path: Path) -> None:
    base = kustomized(tools, "base")
    (settings,) = (one["data"] for one in base if one["kind"] == "ConfigMap")
    secrets = dict(
        line.split("=", 1) for line in (FOLDER / "overlays/example/shared.env").read_text().splitlines()
    )
    brokers = dict(
        line.split("=", 1) for line in (FOLDER / "overlays/example/broker.env").read_text().splitlines()
    )
    commands = {command.name for section in SECTIONS.values() for command in section}
    taken: list[str] = []
    for name, pod in pods(base):
        for container in (*pod.get("initContainers", []), *pod["containers"]):
            environment = settings | secrets | {"DARKROOM_DATA_DIR": str(tmp_path)}
            for variable in container.get("env", []):
                source = variable.get("valueFrom", {}).get("secretKeyRef")
                environment[variable["name"]] = brokers[source["key"]] if source else variable["value"]
            loaded = load_settings(environment)
            assert container["args"][0] in commands
            assert loaded.embedded == (container["args"][0] in ("migrate", "delivery")), name
            if container["args"] == ["worker"]:
                taken += loaded.worker_pools
        pause = 5 if "lifecycle" in pod["containers"][0] else 0
        if "terminationGracePeriodSeconds" in pod:
            assert pod["terminationGracePeriodSeconds"] >= pause + 2 * float(settings["DARKROOM_DRAIN_S"]) + 5
    assert sorted(taken) == sorted(WORKER_POOLS)


def test_no_pod_runs_as_root_or_gets_variables_of_services(tools: dict[str, Path]) -> None:
    for name, pod in pods(kustomized(tools, "base")):
        assert pod["securityContext"]["runAsNonRoot"], name
        assert pod["enableServiceLinks"] is False, name  # DARKROOM_API_PORT would be a misspelt setting
        assert pod["automountServiceAccountToken"] is False, name
        for container in (*pod.get("initContainers", []), *pod["containers"]):
            if container["name"] == "migrated":
                continue  # it has what its pod has
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"], name
            assert not context["allowPrivilegeEscalation"], name
            assert context["capabilities"] == {"drop": ["ALL"]}, name
            assert container["resources"]["limits"]["memory"], name


def test_workers_reach_the_internet_and_not_the_networks_inside(tools: dict[str, Path]) -> None:
    policies = {
        one["metadata"]["name"]: one["spec"]
        for one in kustomized(tools, "base")
        if one["kind"] == "NetworkPolicy"
    }
    assert policies["darkroom-nothing-else"]["policyTypes"] == ["Ingress", "Egress"]
    assert "egress" not in policies["darkroom-nothing-else"]
    (rule,) = policies["darkroom-internet"]["egress"]
    assert {port["port"] for port in rule["ports"]} == set(load_settings({}).fetch_ports)
    inside = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"}
    assert inside <= set(rule["to"][0]["ipBlock"]["except"])


@pytest.mark.services
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_keda_sees_how_many_jobs_wait_and_for_how_long(
    database: Engine, tools: dict[str, Path]
) -> None:
    assert isinstance(database, PooledPostgres)
    for priority, count in ((Priority.INTERACTIVE, 2), (Priority.BULK, 3)):
        for _ in range(count):
            await a_queued_job(priority=priority, created_at=now().replace(year=2020))
    await a_queued_job(status=JobStatus.RUNNING)
    await a_queued_job(held=True, priority=Priority.BULK)
    assert await Job.count() == 7
    scaled = {
        one["metadata"]["name"]: [trigger["metadata"]["query"] for trigger in one["spec"]["triggers"]]
        for one in kustomized(tools, "overlays/example")
        if one["kind"] == "ScaledObject"
    }
    for pool, waiting in (("interactive", 2), ("bulk", 3)):
        length, age = scaled[f"darkroom-worker-{pool}"]
        assert [list(row.values()) for row in await database.run_compiled(length, [])] == [[waiting]]
        [[seconds]] = [list(row.values()) for row in await database.run_compiled(age, [])]
        assert seconds > 86_400


def test_the_message_queues_that_keda_counts_are_those_of_the_broker() -> None:
    text = (FOLDER / "components/keda-rabbitmq/scaled-objects.yaml").read_text()
    definitions = json.loads((ROOT / "infra/rabbitmq/definitions.json").read_text())
    queues = {queue["name"] for queue in definitions["queues"]} - {"darkroom.dead"}
    assert set(re.findall(r"queueName: ([\w.]+)", text)) == queues
