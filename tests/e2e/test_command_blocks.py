"""The commands of every page in docs/, run as a reader pastes them: real sites, real HTTP, a real broker."""

import csv
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest
from msgspec import Struct
from PIL import Image, ImageChops, ImageStat
from yarl import URL

from tests.edits.openai_server import OpenAIServer
from tests.support.documents import (
    NO_COMMANDS,
    NOT_RUN,
    ON_MACHINES,
    PAGES,
    ROOT,
    blocks,
    run_as_pasted,
    script,
)
from tests.support.photo_server import OUTSIDE, PhotoServer, serving
from tests.support.ports import free_port
from tests.support.services import service_url
from tests.support.site import Site, running_site

SETUP = "AUTH="  # the last line of the block that prepares the shell
ON_SERVICES = "docs/orders.md"  # orders need a real broker
LOCAL = [page for page in PAGES if page not in ("README.md", ON_SERVICES)]
PRODUCER = "ada"


class Surroundings(Struct, frozen=True):
    """What the pages expect to be there: a running site, images on a server, a model, a free port."""

    site: Site
    images: PhotoServer
    openai: OpenAIServer
    port: int

    @property
    def variables(self) -> dict[str, str]:
        """The addresses that the pages name, as they are here."""
        return {"AT": self.site.url, "IMAGES": self.images.url(""), "PORT": str(self.port)}


@pytest.fixture(scope="module", params=["embedded"])
async def surroundings(
    request: pytest.FixtureRequest, photos: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Surroundings]:
    port, directory = free_port(), tmp_path_factory.mktemp("pages")
    async with AsyncExitStack() as stack:
        (images,) = await stack.enter_async_context(serving(OUTSIDE))
        images.serve("/hopper.jpg", (photos / "rocket.jpg").read_bytes())
        images.serve("/hopper.png", (photos / "page.png").read_bytes())
        openai = await stack.enter_async_context(OpenAIServer.open())
        opened = {
            "FETCH_PORTS": f"{images.port},{port}",
            "FETCH_ALLOW_NETWORKS": "127.0.0.0/8",
            **openai.settings,
        }
        site = await stack.enter_async_context(running_site(request.param, directory / "site", **opened))
        yield Surroundings(site, images, openai, port)


@pytest.fixture
def folder(tmp_path: Path, photos: Path) -> Path:
    """A folder with the photos that the pages ask for."""
    with Image.open(photos / "retina.jpg") as photo:
        photo.save(tmp_path / "photo.jpg")
    (tmp_path / "photos").mkdir()
    for day in range(1, 9):  # backups of earlier days
        (tmp_path / "backups" / f"2020-01-{day:02}T000000Z").mkdir(parents=True)
    (tmp_path / "photos" / "rocket.jpg").write_bytes((photos / "rocket.jpg").read_bytes())
    return tmp_path


def check_accounts(out: str, _: Path, __: Surroundings) -> None:
    assert "204" in out.splitlines()
    assert "admin root created" in out
    assert "dk_" in out


def check_jobs(out: str, folder: Path, _: Surroundings) -> None:
    with Image.open(folder / "result.webp") as image:
        assert (image.format, image.width) == ("WEBP", 800)
    first, second = out.splitlines()[-3:-1]
    assert first == second


def check_retention(out: str, folder: Path, _: Surroundings) -> None:
    assert "None" in out.splitlines()
    assert (folder / "copy.jpg").read_bytes() == (folder / "photo.jpg").read_bytes()
    assert len((folder / "part.bin").read_bytes()) == 1024


def check_batches(_: str, folder: Path, surroundings: Surroundings) -> None:
    with (folder / "output.csv").open() as file:
        chair, table = list(csv.DictReader(file))
    outputs = chair["Output Image Urls"].split(", ")
    assert [url.startswith(surroundings.site.url) for url in outputs] == [True, True]
    assert "url_http_error" in table["Errors"]


def check_edits(_: str, __: Path, surroundings: Surroundings) -> None:
    prompts = [call.fields["prompt"] for call in surroundings.openai.calls]
    assert sorted(prompts) == ["a fox in the snow", *["a red door"] * 2, *["make it snow"] * 3]


def check_webhooks(_: str, folder: Path, __: Surroundings) -> None:
    events = [line.split()[1] for line in (folder / "events.log").read_text().splitlines()]
    assert events == ["webhook.test", "job.completed"]


def check_operations(_: str, folder: Path, __: Surroundings) -> None:
    with Image.open(folder / "out" / "rocket.webp") as image:
        assert image.size == (640, 427)  # it is smaller than the box, and stays so


def check_moving_in(out: str, folder: Path, _: Surroundings) -> None:
    sizes: dict[str, tuple[int, int]] = {}
    for name in ("resized.png", "pipeline.webp"):
        with Image.open(folder / name) as image:
            sizes[name] = image.size
    assert sizes == {"resized.png": (200, 100), "pipeline.webp": (80, 60)}
    assert '"status":"Completed"' in out


def check_picture(_: str, folder: Path, __: Surroundings) -> None:
    with Image.open(folder / "private.webp") as image:
        assert image.format == "WEBP"
    assert (folder / "page.html").read_text().count("<source type=") == 2
    with Image.open(folder / "card.webp") as image:
        assert (image.format, image.width) == ("WEBP", 384)


def check_tutorial(out: str, folder: Path, _: Surroundings) -> None:
    assert "the same file" in out
    with Image.open(folder / "result.webp") as image:
        assert (image.format, image.width) == ("WEBP", 800)
    assert "job.completed" in (folder / "events.log").read_text()


def check_watermark(_: str, folder: Path, surroundings: Surroundings) -> None:
    with (folder / "marked.csv").open() as file:
        outputs = [row["Output Image Urls"] for row in csv.DictReader(file)]
    assert [url.startswith(surroundings.site.url) for url in outputs] == [True, True]
    with Image.open(folder / "marked.webp") as marked, Image.open(folder / "photo.jpg") as photo:
        width, height = marked.size
        changed = ImageChops.difference(marked.convert("RGB"), photo.convert("RGB").resize(marked.size))
    corner, rest = (
        changed.crop((width // 2, height // 2, width, height)),
        changed.crop((0, 0, width, height // 2)),
    )
    assert min(ImageStat.Stat(corner).mean) > 2 * max(ImageStat.Stat(rest).mean)


def check_command_line(out: str, folder: Path, _: Surroundings) -> None:
    sizes = {}
    for name in ("out/photo.webp", "small/rocket-400x267.jpg", "small.jpg", "thumbs/rocket.jpg"):
        with Image.open(folder / name) as image:
            sizes[name] = image.width
    assert sizes == {
        "out/photo.webp": 800,
        "small/rocket-400x267.jpg": 400,
        "small.jpg": 200,
        "thumbs/rocket.jpg": 300,
    }
    assert '"width": 300' in out
    assert "\nfit (" in out.replace("  fit", "fit")


def check_backup(out: str, folder: Path, _: Surroundings) -> None:
    assert out.count("backed up: ") == 2
    assert "restored: " in out
    assert (folder / "restored" / "darkroom.sqlite").is_file()
    kept = sorted(path.name for path in (folder / "backups").iterdir())
    assert len(kept) == 7
    assert kept[0] == "2020-01-03T000000Z", "the oldest two are gone"
    assert out.splitlines()[-1] == "refused"


CHECKS: dict[str, Callable[[str, Path, Surroundings], None]] = {
    "docs/accounts.md": check_accounts,
    "docs/backup.md": check_backup,
    "docs/batches.md": check_batches,
    "docs/command-line.md": check_command_line,
    "docs/edits.md": check_edits,
    "docs/jobs.md": check_jobs,
    "docs/moving-in.md": check_moving_in,
    "docs/operations.md": check_operations,
    "docs/picture.md": check_picture,
    "docs/retention.md": check_retention,
    "docs/tutorial.md": check_tutorial,
    "docs/watermark.md": check_watermark,
    "docs/webhooks.md": check_webhooks,
}


@pytest.mark.parametrize("page", [page for page in LOCAL if any(block.is_run for block in blocks(page))])
async def test_the_commands_of_a_page_run_as_they_stand(
    page: str, surroundings: Surroundings, folder: Path
) -> None:
    commands = script(page, surroundings.variables)
    out = await run_as_pasted(commands, folder, surroundings.site.environment)
    if page in CHECKS:
        CHECKS[page](out, folder, surroundings)


@pytest.mark.services
@pytest.mark.parametrize("surroundings", ["services"], indirect=True)
async def test_the_commands_of_the_page_about_orders_run_as_they_stand(
    surroundings: Surroundings, folder: Path
) -> None:
    url, management = URL(surroundings.site.settings["BROKER_URL"]), service_url("RABBITMQ_MANAGEMENT")
    own = str(url.with_user(PRODUCER).with_password("of-a-producer"))
    here = {"RABBITMQ": management, "VHOST": url.path.strip("/"), "AMQP_URL": own}
    commands = script(ON_SERVICES, surroundings.variables | here)
    try:
        out = await run_as_pasted(commands, folder, surroundings.site.environment)
    finally:
        async with aiohttp.ClientSession() as session:
            await session.delete(f"{management}/api/users/{PRODUCER}")
    replies = [json.loads(line) for line in out.splitlines() if line.startswith('{"type": "job.completed"')]
    assert [reply["owner"] for reply in replies] == [PRODUCER]
    with Image.open(folder / "thumbnail.webp") as image:
        assert (image.format, image.width) == ("WEBP", 200)
    assert out.splitlines()[-1].endswith("dropped")


@pytest.mark.parametrize("page", PAGES)
def test_every_block_of_a_page_is_run_or_says_why_not(page: str) -> None:
    for block in blocks(page):
        language, _, mark = block.info.partition(" ")
        assert language in NO_COMMANDS | {"sh"}, block
        assert mark in ({"", *NOT_RUN, *ON_MACHINES} if language == "sh" else {""}), block


def test_every_page_prepares_the_shell_with_the_same_commands() -> None:
    prepared = [
        [block.text for block in blocks(page) if block.text.startswith("AT=") and SETUP in block.text]
        for page in PAGES
        if page != "docs/accounts.md" and any("$AUTH" in block.text for block in blocks(page) if block.is_run)
    ]
    assert len(prepared) > 5
    assert all(one == prepared[0] and len(one) == 1 for one in prepared)


@pytest.mark.parametrize("page", [*PAGES, "docs/examples/order.sh", "docs/examples/add_producer.sh"])
def test_no_command_needs_a_newer_curl_than_ubuntu_22_04_has(page: str) -> None:
    lines = (ROOT / page).read_text().splitlines()
    assert not any("curl" in line and "--json" in line for line in lines)


def test_the_tools_of_the_pages_are_there() -> None:
    for tool in ("bash", "curl", "awk"):
        assert any(os.access(Path(folder) / tool, os.X_OK) for folder in os.environ["PATH"].split(":")), tool
