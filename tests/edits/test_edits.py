"""Edits by prompt, through every address of the API that takes them."""

import base64
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import imagehash
import pytest
from PIL import Image

from tests.edits.conftest import EditSite
from tests.edits.edit_requests import (
    PROMPT,
    WAIT,
    children_of,
    edit,
    edited,
    file,
    form,
    mask,
    near,
    picture_of,
    pixels,
    record,
    rgb,
    stored,
    used,
)
from tests.edits.openai_server import (
    MODEL,
    REQUEST_ID,
    SIZE,
    error,
    respond_with,
    responds_when_released,
)
from tests.support.site_jobs import objects_url, stored_keys
from tests.support.waiting import until_equal


async def test_an_upload_with_a_prompt_is_edited(edit_site: EditSite, photo: Path) -> None:
    answer = await edit_site.client.upload(photo, wait_s=60, prompt=PROMPT)
    assert answer.status == 201, answer
    source, result = answer.json, answer.json["result"]
    assert (result["parent"], result["format"], result["filename"]) == (source["id"], "jpeg", "rocket.jpg")
    assert (result["width"], result["height"]) == SIZE
    assert result["phash"]
    assert (source["retention"], result["expires_at"]) == ("ephemeral", source["expires_at"])
    assert (await picture_of(edit_site.client, result["id"])).size == SIZE
    (call,) = edit_site.openai.calls
    assert call.fields == {"model": MODEL, "prompt": PROMPT, "n": "1", "output_format": "jpeg"}
    assert call.files["image"].picture.size == (256, 171)  # the setting's longest side
    assert call.reference == source["job_id"]
    job = (await edit_site.client.get(f"/api/jobs/{source['job_id']}")).json
    assert (job["kind"], job["status"], job["result_id"]) == ("edit", "completed", result["id"])


async def test_the_metadata_of_a_result_names_its_origin(edit_site: EditSite) -> None:
    source = await stored(edit_site.client)
    job = await edited(edit_site.client, source, size="128x64", quality="low", background="opaque")
    found = (await edit_site.client.get(f"/api/images/{job['result_id']}/metadata")).json
    assert found["edit"] == {
        "prompt": PROMPT,
        "model": MODEL,
        "usage": {"input_tokens": 40, "output_tokens": 1056, "total_tokens": 1096},
        "request_id": REQUEST_ID,
        "job_id": job["id"],
        "source": source,
        "mask": None,
        "size": "128x64",
        "quality": "low",
        "background": "opaque",
        "revised_prompt": None,
    }
    assert (found["width"], found["height"], found["format"]) == (128, 64, "png")
    assert (await edit_site.client.get(f"/api/images/{source}/metadata", headers=WAIT)).json["edit"] is None
    (call,) = edit_site.openai.calls
    assert call.fields == {
        "model": MODEL,
        "prompt": PROMPT,
        "n": "1",
        "size": "128x64",
        "quality": "low",
        "background": "opaque",
        "output_format": "png",
    }


async def test_several_results_are_found_by_their_parent(edit_site: EditSite) -> None:
    source = await stored(edit_site.client)
    job = await edited(edit_site.client, source, n=3)
    made = await children_of(edit_site.client, source)
    assert len(made) == 3
    assert job["result_id"] == made[0]
    assert edit_site.openai.calls[0].fields["n"] == "3"
    assert len({(await record(edit_site.client, one))["md5"] for one in made}) == 1
    keys = await stored_keys(objects_url(edit_site.site))
    assert all(len([key for key in keys if one in key]) == 1 for one in made)


async def test_operations_follow_on_the_edit_in_the_same_job(edit_site: EditSite) -> None:
    source = await stored(edit_site.client)
    steps = [{"op": "resize", "width": 48}, {"op": "grayscale"}]
    job = await edited(edit_site.client, source, operations=steps, output_format="webp", retention="keep")
    made = await picture_of(edit_site.client, job["result_id"])
    assert (made.format, made.size) == ("WEBP", (48, 32))
    red, green, blue = rgb(made, (20, 20))
    assert abs(red - green) < 6
    assert abs(green - blue) < 6
    assert [step["op"] for step in job["operations"]] == ["resize", "grayscale"]
    assert (await record(edit_site.client, job["result_id"]))["retention"] == "keep"
    about_it = (await edit_site.client.get("/api/jobs", params={"image": source, "kind": "edit"})).json
    assert [one["id"] for one in about_it] == [job["id"]]


async def test_a_prompt_alone_makes_images(edit_site: EditSite) -> None:
    answer = await edit_site.client.post("/api/images", json={"prompt": "a fox", "n": 2}, headers=WAIT)
    assert answer.status == 201, answer
    first = answer.json
    assert (first["format"], first["parent"], first["filename"]) == ("png", None, "image.png")
    (other,) = await children_of(edit_site.client, first["id"])
    assert (await record(edit_site.client, other))["md5"] == first["md5"]
    (call,) = edit_site.openai.calls
    assert (call.path, call.fields["prompt"]) == ("/v1/images/generations", "a fox")


async def test_a_form_with_only_a_prompt_gets_the_location_of_its_image(edit_site: EditSite) -> None:
    parts = form(prompt="a fox", output_format="jpg", operations=[{"op": "resize", "width": 30}])
    answer = await edit_site.client.post("/api/images", data=parts)
    assert answer.status == 202, answer
    assert (answer.json["kind"], answer.json["image_id"]) == ("edit", None)
    assert answer.headers["Location"] == answer.json["url"]
    job = await edit_site.client.job_done(answer.json["id"])
    made = await picture_of(edit_site.client, job["result_id"])
    assert (made.format, made.size) == ("JPEG", (30, 20))


async def test_an_image_at_a_url_is_fetched_and_edited(edit_site: EditSite) -> None:
    url = "data:image/png;base64," + base64.b64encode(file(pixels())).decode()
    answer = await edit_site.client.post(
        "/api/images", json={"image_url": url, "prompt": PROMPT}, headers=WAIT
    )
    assert answer.status == 201, answer
    assert answer.json["result"]["parent"] == answer.json["id"]
    assert len(edit_site.openai.calls) == 1


async def test_another_image_and_a_prompt_replace_the_source_and_edit_again(edit_site: EditSite) -> None:
    first = await edit_site.client.upload(file(pixels()), wait_s=60, prompt=PROMPT, retention="keep")
    source = first.json["id"]
    blue = file(Image.new("RGB", (90, 90), "blue"))
    answer = await edit_site.client.call(
        "PATCH", f"/api/images/{source}", data=form(image=blue, prompt="again"), headers=WAIT
    )
    assert answer.status == 200, answer
    now = answer.json
    assert (now["id"], now["width"], now["height"]) == (source, 90, 90)
    assert now["result"]["id"] != first.json["result"]["id"]
    assert now["result"]["parent"] == source
    assert near(await picture_of(edit_site.client, source), (9, 9), (0, 0, 255))
    assert edit_site.openai.calls[1].files["image"].picture.size == (90, 90)
    assert (await record(edit_site.client, first.json["result"]["id"]))["status"] == "completed"

    async def originals() -> int:
        return len([key for key in await stored_keys(objects_url(edit_site.site)) if source in key])

    await until_equal(1, originals)  # the former one goes right after the job's end


async def test_a_kept_source_is_hashed_and_again_when_it_is_replaced(edit_site: EditSite) -> None:
    first = await edit_site.client.upload(file(pixels()), wait_s=60, prompt=PROMPT, retention="keep")
    source = first.json["id"]
    assert await edit_site.client.until_hashed(source) == str(imagehash.phash(pixels()))
    other = pixels().rotate(180)
    parts = form(image=file(other), prompt="again")
    await edit_site.client.call("PATCH", f"/api/images/{source}", data=parts, headers=WAIT)
    assert await edit_site.client.until_hashed(source) == str(imagehash.phash(other))


async def test_a_replacement_that_is_no_image_changes_nothing(edit_site: EditSite) -> None:
    source = await stored(edit_site.client)
    before = await record(edit_site.client, source)
    for parts, code in (
        (form(image=b"no image", prompt="again"), "not_an_image"),
        (form(image=file(pixels())), "invalid_request"),
        (form(prompt="again"), "image_missing"),
    ):
        answer = await edit_site.client.call("PATCH", f"/api/images/{source}", data=parts)
        assert answer.code == code
    after = await record(edit_site.client, source)
    assert (after["md5"], after["job_id"]) == (before["md5"], before["job_id"])
    assert edit_site.openai.calls == []


async def test_an_account_sees_what_its_edits_cost(new_edit_client: EditSite) -> None:
    assert (await used(new_edit_client.client))["today"] == (await used(new_edit_client.client))["total"]
    source = await stored(new_edit_client.client)
    await edited(new_edit_client.client, source, n=2)
    new_edit_client.openai.responders.append(
        respond_with(lambda: error(400, "no", code="moderation_blocked"))
    )
    assert (await edit(new_edit_client.client, source)).status == 422
    found = await used(new_edit_client.client)
    assert (found["configured"], found["per_day"]) == (True, 1000)
    assert found["today"] == {
        "edits": 3,
        "calls": 2,
        "images": 2,
        "input_tokens": 40,
        "output_tokens": 1056,
        "total_tokens": 1096,
    }
    assert found["total"] == found["today"]


async def test_the_same_request_sent_again_is_one_edit(edit_site: EditSite) -> None:
    source = await stored(edit_site.client)
    named = {**WAIT, "Idempotency-Key": "edit-1"}
    answers = [
        await edit_site.client.post(f"/api/images/{source}/edit", json={"prompt": PROMPT}, headers=named)
        for _ in range(2)
    ]
    assert answers[0].json == answers[1].json
    assert len(edit_site.openai.calls) == 1


SENT_AGAIN: Mapping[str, tuple[str, str, Callable[[], dict[str, Any]]]] = {
    "json": ("POST", "/edit", lambda: {"json": {"prompt": PROMPT}}),
    "form": ("POST", "/edit", lambda: {"data": form(prompt=PROMPT, mask=mask())}),
    "replacement": ("PATCH", "", lambda: {"data": form(image=file(pixels()), prompt=PROMPT)}),
}


@pytest.mark.parametrize(("method", "path", "body"), SENT_AGAIN.values(), ids=SENT_AGAIN)
async def test_an_edit_that_is_not_done_yet_is_found_by_the_same_request(
    edit_site: EditSite, method: str, path: str, body: Callable[[], dict[str, Any]]
) -> None:
    client, openai = edit_site.client, edit_site.openai
    at = f"/api/images/{await stored(client, file(pixels(colour='teal')))}{path}"
    key = {"Idempotency-Key": uuid4().hex}
    openai.responders.append(responds_when_released(openai))
    first, again = [await client.call(method, at, **body(), headers=key) for _ in range(2)]
    openai.may_respond.set()
    assert (first.status, again.headers.get("Idempotency-Replayed")) == (202, "true")
    [job_id] = {answer.headers["Location"].rpartition("/")[2] for answer in (first, again)}
    assert (await client.job_done(job_id))["status"] == "completed"
    assert len(openai.calls) == 1
