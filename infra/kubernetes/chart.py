"""Write the Helm chart from the Kustomize base, so that both install the same: `make docs`.

A value with a comment `# helm: a.b` in the base becomes the value `a.b` of the chart, with that default. A
key with such a comment and nothing behind it stands for the block below it.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import yaml

from libs import __version__

FOLDER = Path(__file__).parent
CHART = FOLDER / "chart"
SCALING = {"keda-postgres": "postgres", "keda-rabbitmq": "rabbitmq"}
MARK = re.compile(r"(?P<key>(?P<indent>[- ]*)[\w-]+:)(?P<value> .+?)? # helm: (?P<path>[\w.]+)")
NAME = re.compile(r"(?P<key> +name: (?P<name>[\w-]+)) # helm-name")

HEADER = """\
# Every value with its default; `make docs` writes this file from the Kustomize base.
# Secrets `darkroom` and `darkroom-broker` must exist: see docs/kubernetes.md.

# How many workers run: empty for `replicas` below; `postgres` for KEDA by jobs, `rabbitmq` by messages
keda: ""
"""
CHART_FILE = f"""\
apiVersion: v2
name: darkroom
description: A self-hosted image platform
type: application
version: {__version__}
appVersion: {__version__}
kubeVersion: ">=1.30.0-0"
"""


def files() -> dict[str, str]:
    """Return the text of every file of the chart by its path."""
    values: dict[str, Any] = {}
    written: dict[str, str] = {}
    base = yaml.safe_load((FOLDER / "base" / "kustomization.yaml").read_text())
    for name in base["resources"]:
        written[f"templates/{name}"] = _template(FOLDER / "base" / name, values)
    for component, variant in SCALING.items():
        text = _template(FOLDER / "components" / component / "scaled-objects.yaml", values)
        written[f"templates/{component}.yaml"] = (
            f'{{{{- if eq .Values.keda "{variant}" }}}}\n{text}{{{{- end }}}}\n'
        )
    dumped = yaml.safe_dump(values, sort_keys=True, width=110)
    return {**written, "values.yaml": HEADER + "\n" + dumped, "Chart.yaml": CHART_FILE}


def _template(path: Path, values: dict[str, Any]) -> str:
    lines = path.read_text().splitlines()
    return "".join(f"{line}\n" for line in _with_values(lines, values))


def _with_values(lines: list[str], values: dict[str, Any]) -> Iterator[str]:
    position = 0
    while position < len(lines):
        line = lines[position]
        position += 1
        if name := NAME.fullmatch(line):
            yield f"{name['key']}-{{{{ .Release.Revision }}}} # a job cannot be changed"
            continue
        mark = MARK.fullmatch(line)
        if mark is None:
            yield line
            continue
        value = mark["value"]
        if value is None:
            block = list(_block(lines[position:], len(mark["indent"])))
            position += len(block)
            value = "\n".join(block)
        _set(values, mark["path"].split("."), yaml.safe_load(value))
        filled = f"{mark['key']} {{{{ .Values.{mark['path']} | toJson }}}}"
        if mark["path"].startswith("worker") and mark["path"].endswith(".replicas"):
            yield from ("{{- if not .Values.keda }}", filled, "{{- end }}")
        else:
            yield filled


def _block(lines: list[str], indent: int) -> Iterator[str]:
    """Yield the lines below a key."""
    for line in lines:
        if line.strip() and len(line) - len(line.lstrip()) <= indent:
            return
        yield line


def _set(values: dict[str, Any], path: list[str], value: object) -> None:
    *parents, name = path
    for parent in parents:
        values = cast("dict[str, Any]", values.setdefault(parent, {}))
    if values.setdefault(name, value) != value:
        raise ValueError(f"two defaults for {'.'.join(path)}")


def main() -> None:
    """Write the chart."""
    for path, text in files().items():
        (CHART / path).parent.mkdir(parents=True, exist_ok=True)
        (CHART / path).write_text(text)


if __name__ == "__main__":
    main()
