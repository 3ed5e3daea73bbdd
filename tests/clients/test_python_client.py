"""A client that openapi-python-client generates does what people do, against a running site."""

import importlib
import json
import sys
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import pytest

from tests.clients.generating import Generated, run, saved_description
from tests.support.client import Client
from tests.support.shared_sites import ON_ONE_SITE, SharedSite
from tests.support.site import Site
from tests.support.waiting import until

pytestmark = ON_ONE_SITE

PACKAGE = "generated_darkroom"
OPTIONS = """\
content_type_overrides:
  image/*: application/octet-stream
  application/zip: application/octet-stream
"""
STEPS = [{"op": "resize", "width": 120}, {"op": "convert", "format": "webp"}]
DESCRIPTIONS = ["/schema/openapi.json", "/schema/legacy/openapi.json"]


async def generate(site: Site, directory: Path, address: str) -> Generated:
    """Generate a package in `directory`."""
    (directory / "options.yaml").write_text(OPTIONS)
    description = await saved_description(site, directory, address)
    arguments = ("--path", description, "--output-path", directory / PACKAGE, "--meta", "none")
    output = await run(
        "openapi-python-client", "generate", *arguments, "--config", directory / "options.yaml", cwd=directory
    )
    return Generated(directory, output)


@pytest.fixture(scope="module")
async def generated(site: Site, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Generated]:
    """The client of today's API, importable."""
    made = await generate(site, tmp_path_factory.mktemp("python-client"), DESCRIPTIONS[0])
    sys.path.insert(0, str(made.directory))
    yield made
    sys.path.remove(str(made.directory))
    for name in [name for name in sys.modules if name.startswith(PACKAGE)]:
        del sys.modules[name]


def part(name: str) -> Any:
    """Import a module of the generated package, whose types are not known before it is generated."""
    module: ModuleType = importlib.import_module(f"{PACKAGE}.{name}")
    return module


@pytest.mark.parametrize("address", DESCRIPTIONS)
async def test_a_client_is_generated_without_a_warning(site: Site, tmp_path: Path, address: str) -> None:
    made = await generate(site, tmp_path, address)
    assert made.output.split() == ["Generating", str(tmp_path / PACKAGE)]


@pytest.fixture
async def api(site: Site, generated: Generated, client: Client) -> AsyncIterator[Any]:
    """The generated client with an access token."""
    async with part("client").AuthenticatedClient(base_url=site.url, token=client.token) as opened:
        yield opened


async def test_it_uploads_waits_lists_transforms_downloads_and_deletes(api: Any, photo: Path) -> None:
    models = part("models")
    form = models.UploadForm(
        image=part("types").File(BytesIO(photo.read_bytes()), "rocket.jpg", "image/jpeg"),
        operations=json.dumps(STEPS),
        retention=models.UploadFormRetention.KEEP,
    )
    made = await part("api.images.upload_image").asyncio_detailed(client=api, body=form, prefer="wait=60")
    assert made.status_code == 201
    image = made.parsed
    assert isinstance(image, models.ImageView)
    assert (image.width, image.result.width, image.result.format_) == (640, 120, "webp")
    assert made.headers["Location"] == image.url

    listed = await part("api.images.list_images").asyncio_detailed(client=api, limit=1)
    assert (len(listed.parsed), listed.headers["X-Total-Count"]) == (1, "2")
    assert 'rel="next"' in listed.headers["Link"]

    steps = [
        models.Resize(op="resize", width=64),
        models.Convert(op="convert", format_=models.ConvertFormat.PNG),
    ]
    wanted = models.TransformRequest(operations=steps)
    job = await part("api.images.transform_image").asyncio(image.id, client=api, body=wanted)
    get_job = part("api.jobs.get_job")

    async def done() -> bool:
        return (await get_job.asyncio(job.id, client=api)).status == models.JobStatus.COMPLETED

    await until(done)
    job = await get_job.asyncio(job.id, client=api)
    assert [operation.op for operation in job.operations] == ["resize", "convert"]
    file = await part("api.images.download_image").asyncio_detailed(job.result_id, client=api)
    assert file.parsed.payload.read().startswith(b"\x89PNG")
    etag = file.headers["ETag"]
    again = await part("api.images.download_image").asyncio_detailed(
        job.result_id, client=api, if_none_match=etag
    )
    assert (again.status_code, again.headers["ETag"]) == (304, etag)
    first = await part("api.images.download_image").asyncio_detailed(
        job.result_id, client=api, range_="bytes=0-3"
    )
    assert (first.status_code, first.parsed.payload.read()) == (206, b"\x89PNG")

    deleted = await part("api.images.delete_image").asyncio(image.id, client=api)
    assert isinstance(deleted, models.Confirmation)
    gone = await part("api.images.get_image").asyncio(image.id, client=api)
    assert isinstance(gone, models.Problem)
    assert (gone.status, gone.code) == (404, "image_not_found")


async def test_it_creates_a_batch_and_receives_an_event(
    api: Any, shared_site: SharedSite, photo: Path
) -> None:
    models, path = part("models"), f"/{uuid4()}"
    request = models.WebhookRequest(
        url=shared_site.receiver.url(path), events=[models.WebhookEvent.BATCH_COMPLETED]
    )
    webhook = await part("api.webhooks.create_webhook").asyncio(client=api, body=request)
    assert webhook.secret.startswith("whsec_")

    url = shared_site.photo_server.serve(f"{path}.jpg", photo.read_bytes())
    csv = f"S. No.,Product Name,Input Image Urls\n1,Rocket,{url}\n"
    form = models.BatchForm(file=part("types").File(BytesIO(csv.encode()), "products.csv", "text/csv"))
    batch = await part("api.batches.create_batch").asyncio(client=api, body=form)
    assert isinstance(batch, models.BatchView)
    [event] = await shared_site.receiver.received(path)
    assert event.verified(webhook.secret)["data"]["batch_id"] == str(batch.id)

    detail = await part("api.batches.get_batch").asyncio(batch.id, client=api)
    assert (detail.status, detail.items[0].status) == ("Completed", "completed")
    output = await part("api.batches.download_batch_output").asyncio(batch.id, client=api)
    assert "Output Image Urls" in output
    archive = await part("api.batches.download_batch_archive").asyncio(batch.id, client=api)
    assert archive.payload.read(2) == b"PK"
    removed = await part("api.webhooks.delete_webhook").asyncio_detailed(webhook.id, client=api)
    assert removed.status_code == 204
