"""The tables of docs/coming-from.md: what stands on the right is what Darkroom takes."""

import re

import pytest

from libs.delivery.steps import Preset, parse_steps
from tests.support.documents import PAGES

LINES = [line for line in PAGES["docs/coming-from.md"].splitlines() if line.startswith("| ") and "`" in line]
ROWS = [line.strip("| ").split(" | ") for line in LINES]
STEPS = [
    text.replace("image_id_…", "image_id_019ab3c0-1234-7abc-8def-0123456789ab")
    for row in ROWS
    for text in re.findall(r"`([^`]+)`", row[-1])
    if re.fullmatch(r"[a-z][a-z0-9_]*_[^{}/]*|[a-z_]+(,[^{}/]+)?(:[a-z]+)?", text) and text != "srcset"
]


def test_the_tables_have_steps() -> None:
    assert len(STEPS) > 50


@pytest.mark.parametrize("steps", sorted(set(STEPS)))
def test_each_step_of_the_tables_is_one(steps: str) -> None:
    is_part = steps.startswith(("g_", "b_", "fit_", "enlarge"))
    parsed = parse_steps(f"w_9,h_9,{steps}" if is_part else steps)
    assert parsed.expires_at or parsed.steps
    assert all(step == Preset("card") for step in parsed.steps if isinstance(step, Preset))
