"""The default model, and servers that are not OpenAI's own."""

import re
from pathlib import Path
from typing import get_args

import pytest

from libs.settings import load_settings
from tests.edits.edit_requests import PROMPT, WAIT, edited, stored
from tests.edits.openai_server import AZURE_DEPLOYMENT, AZURE_V1, ApiStyle, OpenAIServer
from tests.support.shared_sites import signed_in
from tests.support.site import running_site

GENERAL = re.compile(r"gpt-image-(\d+(?:\.\d+)*)(?:-[a-z]+)?")  # without a date


def version(name: str) -> tuple[int, ...]:
    found = GENERAL.fullmatch(name)
    return tuple(map(int, found[1].split("."))) if found else ()


def test_the_default_model_is_of_the_newest_version_that_the_package_names(tmp_path: Path) -> None:
    from openai.types.image_model import ImageModel  # it takes a second, and every test process collects this

    settings = load_settings({"DARKROOM_DATA_DIR": str(tmp_path)})
    default, named = settings.openai_model, get_args(ImageModel)
    assert default in named
    assert version(default) == max(map(version, named)) != ()


@pytest.mark.parametrize("style", [AZURE_V1, AZURE_DEPLOYMENT], ids=["v1", "deployment"])
async def test_azure_gets_the_key_its_way_and_the_version_of_its_api(style: ApiStyle, tmp_path: Path) -> None:
    async with (
        OpenAIServer.open(style=style) as openai,
        running_site("embedded", tmp_path / "site", **openai.settings) as site,
        signed_in(site) as client,
    ):
        await edited(client, await stored(client))
        made = await client.post("/api/images", json={"prompt": PROMPT}, headers=WAIT)
        assert made.status == 201, made
        root = f"{style.root}/images"
        assert [call.path for call in openai.calls] == [f"{root}/edits", f"{root}/generations"]
