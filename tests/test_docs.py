"""What is written about the program is true of the program."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import structs

from apps.api.problems import all_codes
from benchmarks.scaling_formulas import FORMULAS, NUMBERS, SIZES, carried, sizes
from docs.generate import api, configuration, diagrams, errors, messages, metrics, steps
from libs.contracts import schema
from libs.settings import load_settings, setting_names, variable_of

ROOT = Path(__file__).parents[1]
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
IN_DATA_DIR = {  # no text fits all
    "DARKROOM_DATABASE_URL",
    "DARKROOM_OBJECTS_URL",
    "DARKROOM_SECRET_KEY",
    "DARKROOM_DELIVERY_KEYS",
}


def example() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_the_example_names_every_setting_in_order() -> None:
    assert list(example()) == sorted(example(), key=setting_names().index)
    assert set(example()) == set(setting_names())


def test_the_example_gives_every_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings(example()) == load_settings({})


def test_every_default_of_the_example_is_written_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    fields = {variable_of(field): value for field, value in structs.asdict(load_settings({})).items()}
    for name, value in example().items():
        if not value and name not in IN_DATA_DIR:
            assert fields[name] in ("", ()), name


def test_every_setting_has_a_description() -> None:
    assert [variable_of(name) for name in configuration.descriptions()] == setting_names()


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("docs/configuration.md", configuration.page),
        (".env.example", configuration.example),
        ("docs/errors.md", errors.page),
        ("docs/steps.md", steps.page),
        ("docs/messages.md", messages.page),
        ("docs/api.md", api.page),
        ("docs/metrics.md", metrics.page),
    ],
)
def test_a_generated_page_is_what_make_docs_writes(file: str, text: Callable[[], str]) -> None:
    assert (ROOT / file).read_text() == text()


def test_the_page_of_the_api_has_every_field_of_every_body() -> None:
    schemas = asyncio.run(api.description())["components"]["schemas"]
    page = (ROOT / "docs/api.md").read_text()
    sections = dict(re.findall(r"^### Fields of (\w+)$(.*?)(?=^### |\Z)", page, re.MULTILINE | re.DOTALL))
    assert sections.keys() == schemas.keys()
    for name, body in schemas.items():
        rows = re.findall(r"^\| `(\w+)` \| (.+) \| (yes|no) \| (.+) \|$", sections[name], re.MULTILINE)
        needed = body.get("required", [])
        assert [(field, sent == "yes") for field, _, sent, _ in rows] == [
            (field, field in needed) for field in body.get("properties", {})
        ]


def test_what_the_page_about_scaling_computes_follows_from_its_numbers_by_its_formulas() -> None:
    tables = [rows_of(table) for table in (ROOT / "docs/scaling.md").read_text().split("\n\n")]
    shown = [
        [(f"`{name}`", f"{number.value:,g}", number.source) for name, number in NUMBERS.items()],
        [(part, f"`{formula}`", f"{two_digits(carried({})[part]):,}") for part, formula in FORMULAS.items()],
        [(need, f"`{formula}`") for need, formula in SIZES.items()],
        [
            (f"{jobs:,}", f"{busiest} a second", *map(str, others))
            for jobs in (100_000, 1_000_000, 5_000_000)
            for busiest, *others in [sizes(jobs).values()]
        ],
    ]
    for table in shown:
        assert table in tables


def rows_of(block: str) -> list[tuple[str, ...]]:
    """Return the cells of a table without its head."""
    rows = [line for line in block.splitlines() if line.startswith("|")]
    return [tuple(cell.strip() for cell in row.strip("|").split("|")) for row in rows[2:]]


def two_digits(value: float) -> int:
    """Round down to two digits that count."""
    unit = 10 ** (len(str(int(value))) - 2)
    return int(value // unit * unit)


def test_each_diagram_is_drawn_as_it_is_written() -> None:
    drawn = set((ROOT / "docs/images/diagrams").glob("*.svg"))
    assert drawn == {diagrams.drawing_of(source) for source in diagrams.sources()}, "run `make diagrams`"


def test_every_error_code_is_documented_with_its_status() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d{3}) \| \S", (ROOT / "docs/errors.md").read_text(), re.MULTILINE)
    assert {code: int(status) for code, status in rows} == all_codes()


def test_the_schema_file_is_that_of_the_structs() -> None:
    assert (ROOT / "libs/contracts/schema.json").read_text() == schema.text()


def test_every_make_target_of_the_documents_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for document in DOCUMENTS:
        named = set(re.findall(r"`(?:\w+=\S+ )*make ([a-z-]+)", document.read_text()))
        assert named <= targets, document


def packages() -> set[str]:
    """Return every package of the product, as the map writes it."""
    found = (file.parent for top in ("apps", "libs") for file in (ROOT / top).glob("*/**/__init__.py"))
    return {f"{folder.relative_to(ROOT)}/" for folder in found}


def test_the_map_of_the_tree_names_every_package_and_no_other() -> None:
    rows = re.findall(r"^\| `((?:apps|libs)/[\w/]+/)` \|", CONTRIBUTING, re.MULTILINE)
    assert sorted(rows) == sorted(packages())


def test_every_question_of_a_newcomer_is_answered_by_one_path() -> None:
    (section,) = re.findall(r"^## Where is it\?$(.*?)^## ", CONTRIBUTING, re.MULTILINE | re.DOTALL)
    rows = [row for row in section.strip().splitlines()[2:] if row.startswith("|")]
    assert len(rows) >= 12
    for row in rows:
        assert re.fullmatch(r"\| Where [^|]+ \| `[\w/.]+` \|", row), row


def test_every_path_that_contributing_names_exists() -> None:
    named = re.findall(r"`((?:apps|libs|tests|docs|infra|benchmarks|requirements)/[\w./-]*)`", CONTRIBUTING)
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_link_between_documents_leads_somewhere() -> None:
    for document in DOCUMENTS:
        for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", document.read_text()):
            path, _, anchor = link.partition("#")
            target = (document.parent / path) if path else document
            assert target.exists(), (document.name, link)
            assert not anchor or anchor in anchors(target), (document.name, link)


def anchors(document: Path) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
