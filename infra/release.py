"""Make a release: name its version everywhere, date the changelog, commit and tag it."""

import re
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VERSION_FILE = "libs/__init__.py"
CHANGELOG = "CHANGELOG.md"
SHOWN_IN = (
    VERSION_FILE,
    "docs/console.md",
    "docs/kubernetes.md",
    "infra/kubernetes/chart/Chart.yaml",
    "infra/kubernetes/overlays/example/kustomization.yaml",
)
"""Every file that names the current version."""

VERSION = re.compile(r"\d+\.\d+\.\d+")
UNRELEASED = "## Unreleased\n"


class CannotRelease(Exception):
    """The tree or the version is not fit for a release; nothing was changed."""


def release(root: Path, new: str, today: date) -> None:
    """Commit and tag the version `new` (semver.org, without a suffix) as `v...`.

    Raises:
        CannotRelease: The version is not higher, changes are not committed, or the changelog has none.
    """
    old = version_of(root)
    if not VERSION.fullmatch(new) or _parts(new) <= _parts(old):
        raise CannotRelease(f"the version must be three numbers, and higher than {old}")
    if _git(root, "status", "--porcelain"):
        raise CannotRelease("there are changes that are not committed")
    changelog = _dated((root / CHANGELOG).read_text(), new, today)
    (root / CHANGELOG).write_text(changelog)
    for name in SHOWN_IN:
        path = root / name
        path.write_text(path.read_text().replace(old, new))
    _git(root, "commit", "--all", "--quiet", "--message", f"Version {new}")
    _git(root, "tag", "--annotate", f"v{new}", "--message", f"Darkroom {new}")


def version_of(root: Path) -> str:
    """Return the version of the tree."""
    return VERSION.findall((root / VERSION_FILE).read_text())[0]


def _dated(changelog: str, new: str, today: date) -> str:
    """Put what is unreleased under the new version, below an empty section for the next one."""
    before, _, after = changelog.partition(UNRELEASED)
    changes = after.partition("\n## ")[0]
    if not changes.strip():
        raise CannotRelease(f"{CHANGELOG} has no unreleased changes")
    return f"{before}{UNRELEASED}\n## {new} - {today.isoformat()}\n{after}"


def _parts(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    try:
        release(ROOT, sys.argv[1], datetime.now(UTC).date())
    except CannotRelease as error:
        sys.exit(str(error))
    print(f"Tagged v{sys.argv[1]}. Push it: git push --follow-tags")
