"""The pipeline view, and the commands that it copies."""

import asyncio
import json
import os
import re
import shlex
import sys
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image
from playwright.async_api import Locator, Page, expect

from tests.console.support import ON_BOTH, Console, uploaded
from tests.support.addresses import fetched
from tests.support.waiting import until

pytestmark = pytest.mark.services  # `make services` brings the browser


async def snippet(page: Page, name: str) -> str:
    section = page.get_by_role("region", name="Copy as")
    await section.get_by_role("button", name=name, exact=True).click()
    text = section.get_by_label(f"As {name}")
    await expect(text).not_to_have_text(re.compile("^…?$"))
    return await text.inner_text()


async def ran(command: str, folder: Path, key: str) -> str:
    """Run a command line as it is, in a folder, with this Python's commands first."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    process = await asyncio.create_subprocess_shell(
        command,
        cwd=folder,
        env={"PATH": path, "API_KEY": key, "HOME": str(folder)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


async def test_what_is_copied_as_curl_command_line_python_json_and_url_does_what_the_pipeline_shows(
    console: Console, photo: Path, tmp_path: Path
) -> None:
    image = await uploaded(console, photo)
    name = {"filename": 'it\'s "mine" $HOME.jpg'}
    await console.client.call("PATCH", f"/api/images/{image['id']}", json=name)
    page = await console.open(f"/pipeline?image={image['id']}")
    await add(page, "Resize")
    await add(page, "Watermark")
    await page.get_by_label("Text", exact=True).fill('It\'s "quoted" $5 \\n `x` é')
    await page.get_by_text("Copy as curl, JSON").click()
    operations = json.loads(await snippet(page, "JSON"))
    assert [operation["op"] for operation in operations] == ["resize", "watermark"]
    expected = await preview(console, image["id"], operations)
    token = console.client.token or ""
    key = (
        await console.client.post(
            "/accounts/me/keys", json={"name": "a", "scopes": ["images:read", "images:write"]}
        )
    ).json
    for one in ("curl", "Python", "Command line"):
        folder = tmp_path / one
        folder.mkdir()
        text = await snippet(page, one)
        assert token not in text
        if one == "Command line":
            (folder / name["filename"]).write_bytes(photo.read_bytes())
        elif one == "Python":
            (folder / "it.py").write_text(text)
            text = f"{shlex.quote(sys.executable)} it.py"
        output = await ran(text, folder, key["key"])
        made = [
            file
            for file in folder.rglob("*.jpg")
            if file.name != name["filename"] or file.parent.name == "results" or one == "curl"
        ]
        assert [file.read_bytes() == expected for file in made] == [True], (one, output, made)
    address = await snippet(page, "URL")
    shown = await fetched(console.client, address.removeprefix(console.client.site.url))
    with Image.open(BytesIO(shown.body)) as picture, Image.open(BytesIO(expected)) as result:
        assert picture.size == result.size
    await page.evaluate("document.querySelector('.copy').scrollIntoView()")
    await console.photographed("pipeline-copy")
    page = await console.open(f"/images/{image['id']}")
    await page.get_by_role("tab", name="Copy as").click()
    for one in ("curl", "Command line", "Python"):
        folder = tmp_path / f"{one} of the image"
        folder.mkdir()
        (folder / name["filename"]).write_bytes(photo.read_bytes())
        text = await snippet(page, one)
        if one == "Python":
            (folder / "it.py").write_text(text)
            text = f"{shlex.quote(sys.executable)} it.py"
        if one == "curl":
            (folder / name["filename"]).unlink()
        output = await ran(text, folder, key["key"])
        if one == "curl":
            assert [file.read_bytes() for file in folder.iterdir()] == [photo.read_bytes()]
        else:
            assert image["md5"] in output


async def add(page: Page, name: str) -> None:
    await page.get_by_role("searchbox", name="Search operations").fill(name)
    await page.get_by_role("searchbox", name="Search operations").press("Enter")


async def preview(console: Console, image_id: str, operations: list[dict[str, Any]]) -> bytes:
    answer = await console.client.post(f"/api/images/{image_id}/preview", json={"operations": operations})
    assert answer.status == 200, answer.json
    return answer.body


def cards(page: Page) -> Locator:
    return page.get_by_role("list", name="Operations, in order").get_by_role("listitem")


@ON_BOTH
async def test_a_pipeline_is_made_by_hand_measured_and_saved_as_a_preset(
    console: Console, photo: Path
) -> None:
    image = await uploaded(console, photo)
    page = await console.open(f"/pipeline?image={image['id']}")
    await add(page, "Resize")
    await page.get_by_role("spinbutton", name="Width").fill("300")
    await add(page, "Blur")
    await page.get_by_role("slider", name="Sigma, slider").fill("3.5")
    await add(page, "Tint")
    await page.get_by_label("Color", exact=True).fill("#336699")
    await page.get_by_label("Color", exact=True).press("Tab")
    await add(page, "Convert")
    await page.get_by_label("Format", exact=True).select_option("webp")
    operations = [
        {"op": "resize", "width": 300},
        {"op": "blur", "sigma": 3.5},
        {"op": "tint", "color": "#336699"},
        {"op": "convert", "format": "webp", "quality": 80},
    ]
    expected = await preview(console, image["id"], operations)
    size = page.locator(".below .size")
    await expect(size).to_contain_text(
        f"WEBP, {round(100 * len(expected) / image['size_bytes'])} % of the original"
    )
    draft = page.locator("[data-draft-ms]")
    print(f"a draft in the page takes {await draft.get_attribute('data-draft-ms')} ms")  # noqa: T201
    await console.photographed("pipeline")

    await cards(page).nth(2).locator(".op-head").drag_to(cards(page).nth(0).locator(".op-head"))
    await expect(cards(page).nth(0)).to_contain_text("Tint")
    await cards(page).nth(0).locator(".op-title").focus()
    await page.keyboard.press("Alt+ArrowDown")
    await expect(cards(page).nth(1)).to_contain_text("Tint")
    await page.get_by_role("button", name="Move convert, step 4 up").click()
    await page.get_by_role("button", name="Remove blur, step 4").click()
    await expect(cards(page)).to_have_count(3)

    await page.get_by_role("button", name="Save as a preset").click()
    await page.get_by_role("dialog").get_by_label("Name").fill("blueish")
    await console.photographed("pipeline-preset")
    await page.get_by_role("dialog").get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Saved as blueish")).to_be_visible()
    stored = (await console.client.get("/api/presets/blueish")).json["operations"]
    assert [operation["op"] for operation in stored] == ["resize", "tint", "convert"]
    await page.get_by_role("button", name="Remove all operations").click()
    await expect(cards(page)).to_have_count(0)
    await page.get_by_role("button", name="Presets").click()
    await page.get_by_role("button", name="blueish").click()
    await expect(cards(page)).to_have_count(3)


async def test_faults_stand_at_the_operation_and_the_field_that_have_them(
    console: Console, photo: Path
) -> None:
    image = await uploaded(console, photo)
    page = await console.open(f"/pipeline?image={image['id']}")
    await add(page, "Grayscale")
    await add(page, "Tint")
    await page.get_by_label("Color", exact=True).fill("reddish")
    await page.get_by_label("Color", exact=True).press("Tab")
    await expect(cards(page).nth(1).locator(".fault")).to_contain_text("is no colour: #rgb")
    await expect(page.get_by_role("alert")).to_contain_text("Step 2 has a fault")
    await expect(cards(page).nth(1).get_by_text("Fault", exact=True)).to_be_visible()
    await expect(cards(page).nth(0).get_by_text("Fault", exact=True)).to_have_count(0)
    await console.photographed("pipeline-fault")
    await page.get_by_label("Color", exact=True).fill("red")
    await page.get_by_label("Color", exact=True).press("Tab")
    await expect(page.locator(".fault")).to_have_count(0)


async def test_a_crop_is_pulled_by_its_handles_and_moved_by_keys(console: Console, photo: Path) -> None:
    image = await uploaded(console, photo)
    page = await console.open(f"/pipeline?image={image['id']}")
    await add(page, "Crop")
    box = page.get_by_role("group", name=re.compile("^What is kept"))
    await expect(box).to_have_accessible_name(re.compile("512 . 342 at 64, 43"))
    before = await box.bounding_box()
    assert before
    await page.mouse.move(before["x"] + before["width"], before["y"] + before["height"])
    await page.mouse.down()
    await page.mouse.move(before["x"] + before["width"] / 2, before["y"] + before["height"] / 2, steps=5)
    await page.mouse.up()
    await expect(box).to_have_accessible_name(re.compile("25[5-7] . 17[0-2] at 64, 43"))
    await box.press("ArrowLeft")
    await box.press("Shift+ArrowDown")
    await expect(box).to_have_accessible_name(re.compile("25[5-7] . 17[6-8] at 58, 43"))
    await expect(page.get_by_role("spinbutton", name="X", exact=True)).to_have_value("58")
    await console.photographed("pipeline-crop")
    await page.get_by_role("button", name="Box").click()
    result = page.get_by_role("img", name="The result")

    async def whole() -> bool:
        return await result.evaluate("element => element.naturalWidth") in (255, 256, 257)

    await until(whole)


async def test_every_operation_starts_with_values_that_the_api_takes_and_has_a_card(
    console: Console, photo: Path
) -> None:
    image = await uploaded(console, photo)
    page = await console.open(f"/pipeline?image={image['id']}")
    await expect(page.locator(".adder .names button")).to_have_count(30)
    names = await page.locator(".adder .names button").all_inner_texts()
    for name in names:
        await page.locator(".adder .names").get_by_role("button", name=name, exact=True).click()
    await expect(cards(page)).to_have_count(30)
    for card in await cards(page).all():
        await card.locator(".op-title").click()
        await expect(card.locator(".op-body")).to_be_visible()
    await page.get_by_text("Copy as curl, JSON").click()
    for operation in json.loads(await snippet(page, "JSON")):
        await preview(console, image["id"], [operation])


async def test_a_pipeline_runs_over_all_selected_images(console: Console, photo: Path) -> None:
    chosen = [(await uploaded(console, photo))["id"] for _ in range(6)]
    page = await console.open("/library")
    await page.evaluate(
        """async ids => {
          const app = document.querySelector("script[type=module]").src;
          (await import(new URL("store.js", app))).selection.set(new Set(ids));
        }""",
        [*chosen, str(uuid4())],
    )
    await page.get_by_role("navigation", name="Console").get_by_role("link", name="Pipeline").click()
    await add(page, "Sepia")
    await page.get_by_role("button", name="Run over 7 images").click()
    dialog = page.get_by_role("dialog")
    await console.photographed("pipeline-run")
    await dialog.get_by_label("Name of the batch").fill("sepia for all")
    await dialog.get_by_role("button", name="Run").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("sepia for all")
    await expect(page.get_by_text("6 of 6 images")).to_be_visible()  # the seventh does not exist

    async def results() -> bool:
        found = [(await console.client.get(f"/api/images/{one}")).json["result"] for one in chosen]
        return all(result and result["retention"] == "keep" for result in found)

    await until(results)
