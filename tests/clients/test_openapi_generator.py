"""A Python client that openapi-generator makes does what people do with images."""

import asyncio
import importlib
import json
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.generating import run, saved_description
from tests.support.client import Client
from tests.support.shared_sites import ON_ONE_SITE
from tests.support.site import Site

pytestmark = [ON_ONE_SITE, pytest.mark.skipif(shutil.which("java") is None, reason="java is not installed")]

PACKAGE = "openapi_generated_darkroom"
OF_THE_GENERATOR = (
    "OpenAPI 3.1 support is still in beta",
    "Failed to get the schema name: null",
)
"""Warnings about what the generator itself does not know."""
STEPS = json.dumps([{"op": "resize", "width": 120}])


@pytest.fixture(scope="module")
async def package(site: Site, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Any]:
    """The generated package, and nothing of it that the generator warned of."""
    directory = tmp_path_factory.mktemp("openapi-generator")
    description = await saved_description(site, directory)
    arguments = ("-g", "python", "-i", description, "-o", directory, "--package-name", PACKAGE)
    said = await run("openapi-generator-cli", "generate", *arguments, cwd=directory)
    warnings = [line for line in said.splitlines() if " WARN " in line or " ERROR " in line]
    assert not [line for line in warnings if not any(text in line for text in OF_THE_GENERATOR)]
    sys.path.insert(0, str(directory))
    yield importlib.import_module(PACKAGE)
    sys.path.remove(str(directory))


async def test_it_uploads_waits_lists_transforms_downloads_and_deletes(
    package: Any, client: Client, photo: Path
) -> None:
    configuration = package.Configuration(host=client.site.url, access_token=client.token)
    await asyncio.to_thread(_use, package, package.ImagesApi(package.ApiClient(configuration)), photo)


def _use(package: Any, images: Any, photo: Path) -> None:
    image = images.upload_image(
        image=(photo.name, photo.read_bytes()),
        operations=STEPS,
        retention="keep",
        prefer="wait=60",
        _content_type="multipart/form-data",
    )
    assert (image.width, image.result.width) == (640, 120)
    assert len(images.list_images(limit=1)) == 1
    steps = [package.Operation(package.Resize(op="resize", width=64))]
    wanted = package.TransformRequest(operations=steps)
    job = images.transform_image(image_id=image.id, transform_request=wanted, prefer="wait=60")
    assert job.status == "completed"
    assert images.download_image(image_id=job.result_id).startswith(b"\xff\xd8")
    assert "deleted" in images.delete_image(image_id=image.id).message
    with pytest.raises(package.exceptions.NotFoundException) as missing:
        images.get_image(image_id=image.id)
    assert missing.value.data.code == "image_not_found"
