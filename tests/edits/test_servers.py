"""The default model, and servers that are not OpenAI's own."""

import re
from io import BytesIO
from pathlib import Path
from typing import Any, get_args

import pytest
from PIL import Image

from libs.contracts.edits import EditsDialect
from libs.edits.model_call import CallOptions, InputFile
from libs.edits.open_model import open_image_model
from libs.imaging.formats import FormatName
from libs.settings import load_settings
from tests.edits.edit_requests import PROMPT, WAIT, edited, file, mask, picture_of, pixels, rgb, stored
from tests.edits.openai_server import (
    AZURE_DEPLOYMENT,
    AZURE_V1,
    COLOUR,
    MODEL,
    ApiStyle,
    OpenAIServer,
)
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


def input_file(name: str, image: Image.Image, **options: Any) -> InputFile:
    return InputFile(f"{name}.png", file(image, "PNG", **options), "image/png")


@pytest.mark.parametrize(
    ("dialect", "model", "requested", "output_format"),
    [
        ("openai", MODEL, "webp", "webp"),
        ("openai", "chatgpt-image-latest", "jpeg", "jpeg"),
        ("openai", MODEL, "avif", "png"),
        ("openai", "dall-e-2", "jpeg", None),
        ("openai", "flux-kontext", "jpeg", None),
        ("vllm-omni", "Qwen-Image-Edit-2511", "jpeg", "jpeg"),
        ("vllm-omni", "Qwen-Image-Edit-2511", "webp", "webp"),
        ("sdcpp", "sd-cpp-local", "jpeg", "jpeg"),
        ("sdcpp", "sd-cpp-local", "webp", "png"),
    ],
)
async def test_a_server_gets_masks_and_formats_in_its_way(
    dialect: EditsDialect, model: str, requested: FormatName, output_format: str | None
) -> None:
    white = dialect != "openai"
    hole = Image.new("L" if white else "RGBA", (64, 64), 0 if white else "black")
    hole.paste(255 if white else (0, 0, 0, 0), (0, 0, 32, 64))
    picture = pixels((64, 64), "RGBA")
    async with OpenAIServer.open(model, dialect=dialect) as server:
        values = {f"DARKROOM_{name}": value for name, value in server.settings.items()}
        async with open_image_model(load_settings(values)) as client:
            assert client is not None
            assert client.requirements.mask_style == ("white" if white else "transparent")
            answer = await client.edit(
                input_file("image", picture),
                input_file("mask", hole),
                PROMPT,
                CallOptions(output_format=requested, quality="low"),
                reference="7",
            )
            await client.edit(None, None, PROMPT, CallOptions(output_format=requested), reference="8")
        edit, generation = server.calls
    assert edit.fields.get("output_format") == generation.fields.get("output_format") == output_format
    assert edit.reference == "7"
    assert edit.files.keys() == {"image", "mask_image" if dialect == "vllm-omni" else "mask"}
    assert Image.open(BytesIO(answer.images[0].content)).format == (output_format or "png").upper()


async def test_a_mask_holds_where_the_server_has_its_own_dialect(tmp_path: Path) -> None:
    async with (
        OpenAIServer.open("Qwen-Image-Edit-2511", dialect="vllm-omni") as server,
        running_site("embedded", tmp_path / "site", **server.settings) as site,
        signed_in(site) as client,
    ):
        source = await stored(client, file(pixels((90, 60))))
        job = await edited(client, source, mask=await stored(client, mask()))
        made = await picture_of(client, job["result_id"])
        assert made.size == (90, 60)
        assert rgb(made, (15, 30)) == COLOUR
        assert rgb(made, (80, 30)) == rgb(pixels((90, 60)), (80, 30))
        sent = server.calls[0].files["mask_image"].picture
        assert [sent.getpixel(at) for at in ((10, 30), (80, 30))] == [255, 0]
