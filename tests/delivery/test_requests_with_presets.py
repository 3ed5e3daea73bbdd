"""Presets wherever operations are taken, and public images."""

import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support.addresses import GRAY, fetched, fetched_as, new_key, put_preset, signed_by
from tests.support.client import Answer, Client
from tests.support.photo_server import PhotoServer
from tests.support.shared_sites import ON_ONE_SITE
from tests.support.site_contents import nothing_kept, refused
from tests.support.url_images import create, created, record

PNG = [{"op": "convert", "format": "png"}]
WAIT = {"Prefer": "wait=60"}
NAMES = ["resize", "grayscale", "convert"]


async def gray(client: Client) -> None:
    await put_preset(client, "gray", operations=GRAY, public=True)


def names_of(job: dict[str, Any]) -> list[str]:
    return [step["op"] for step in job["operations"]]


@ON_ONE_SITE
async def test_a_transform_runs_the_preset_first_and_keeps_what_it_said_then(
    client: Client, photo: Path
) -> None:
    await gray(client)
    image = (await client.upload(photo)).json["id"]
    path = f"/api/images/{image}/transform"
    job = await client.post(path, json={"preset": "gray", "operations": PNG}, headers=WAIT)
    assert job.status == 200, job
    await put_preset(client, "gray", operations=[{"op": "flip"}])
    assert names_of((await client.get(f"/api/jobs/{job.json['id']}")).json) == NAMES
    result = await record(client, job.json["result_id"])
    assert (result["width"], result["format"]) == (64, "png")
    alone = await client.post(path, json={"preset": "gray"}, headers=WAIT)
    assert names_of(alone.json) == ["flip"]
    refused(await client.post(path, json={"preset": "none"}), 404, "preset_not_found")
    assert "give `operations`" in refused(await client.post(path, json={}), 400, "invalid_request")


@ON_ONE_SITE
async def test_an_upload_takes_a_preset_in_a_form_in_json_and_by_a_token(
    client: Client, photo: Path, photo_server: PhotoServer
) -> None:
    await gray(client)
    by_form = await client.upload(photo, preset="gray", operations=PNG, wait_s=60)
    assert by_form.status == 201, by_form
    assert (by_form.json["result"]["width"], by_form.json["result"]["format"]) == (64, "png")
    url = photo_server.serve("/preset.jpg", photo.read_bytes())
    by_url = await created(client, url, preset="gray", result_retention="keep")
    assert (by_url["result"]["width"], by_url["result"]["retention"]) == (64, "keep")
    token = await client.post("/api/upload-tokens", json={"preset": "gray", "operations": PNG})
    assert names_of(token.json) == NAMES
    async with nothing_kept(client):
        refused(await client.upload(photo, preset="none"), 404, "preset_not_found")
        refused(await create(client, url, preset="none"), 404, "preset_not_found")
        refused(await client.post("/api/upload-tokens", json={"preset": "none"}), 404, "preset_not_found")


async def batch(client: Client, url: str, **fields: str) -> Answer:
    form = aiohttp.FormData()
    form.add_field("file", f"S. No.,Product Name,Input Image Urls\n1,Lamp,{url}\n", filename="a.csv")
    for name, value in fields.items():
        form.add_field(name, value)
    return await client.post("/api/batches", data=form)


async def test_a_batch_takes_a_preset_and_its_outputs_are_public(
    client: Client, photo: Path, photo_server: PhotoServer
) -> None:
    await gray(client)
    url = photo_server.serve(f"/{client.username}.jpg", photo.read_bytes())
    made = await batch(client, url, preset="gray", public="true", renditions="gray")
    assert made.status == 202, made
    assert (names_of(made.json), made.json["public"], made.json["renditions"]) == (
        NAMES[:2],
        True,
        ["gray"],
    )
    address = f"/api/batches/{made.json['id']}"
    job = (await client.get(address)).json["items"][0]["job_id"]
    await client.job_done(job)
    output = (await client.get(address)).json["items"][0]["output_id"]
    shown = await record(client, output)
    assert (shown["public"], shown["width"]) == (True, 64)
    [rendering] = (await client.get(f"/api/jobs?kind=render&image={output}")).json
    assert (await client.job_done(rendering["id"]))["status"] == "completed"
    found = await fetched(client, f"/t/-/gray/{output}")
    assert (found.status, found.headers["Cache-Status"]) == (200, "darkroom; hit")
    refused(await batch(client, url, preset="none"), 404, "preset_not_found")
    refused(await batch(client, url, public="true", retention="ephemeral"), 400, "image_not_kept")


@ON_ONE_SITE
async def test_a_public_image_needs_no_signature_for_a_public_preset_alone(
    client: Client, photo: Path, photo_server: PhotoServer
) -> None:
    await gray(client)
    await put_preset(client, "secret", operations=GRAY)
    image = (await client.upload(photo, public="true")).json
    assert image["public"]
    assert (await fetched(client, f"/t/-/gray/{image['id']}")).status == 200
    assert (await fetched(client, f"/t/-/secret/{image['id']}")).status == 404
    assert (await fetched(client, f"/t/-/w_60/{image['id']}")).status == 403
    by_url = await created(client, photo_server.serve("/public.jpg", photo.read_bytes()), public=True)
    assert by_url["public"]
    private = (await client.upload(photo)).json
    assert not private["public"]
    listed = {
        public: {found["id"] for found in (await client.get(f"/api/images?public={public}")).json}
        for public in ("true", "false")
    }
    assert listed == {"true": {image["id"], by_url["id"]}, "false": {private["id"]}}
    changed = await client.call("PATCH", f"/api/images/{image['id']}", json={"public": False})
    assert changed.status == 200, changed
    assert not changed.json["public"]
    assert (await fetched_as(client, f"/t/-/gray/{image['id']}", 404)).code == "image_not_found"


async def test_only_a_kept_image_is_public(client: Client, photo: Path, photo_server: PhotoServer) -> None:
    await gray(client)
    asked: list[dict[str, Any]] = [{"public": "true"}, {"renditions": "gray"}]
    for fields in asked:
        async with nothing_kept(client):
            refused(await client.upload(photo, retention="ephemeral", **fields), 400, "image_not_kept")
            refused(await client.upload(photo, operations=PNG, **fields), 400, "image_not_kept")
    body = {"image_url": photo_server.url("/a.jpg"), "retention": "ephemeral", "public": True}
    refused(await client.post("/api/images", json=body), 400, "image_not_kept")
    address = f"/api/images/{(await client.upload(photo, retention='ephemeral')).json['id']}"
    for change in ({"public": True}, {"public": True, "retention": "ephemeral"}):
        refused(await client.call("PATCH", address, json=change), 400, "image_not_kept")
    kept = await client.call("PATCH", address, json={"public": True, "retention": "keep"})
    assert kept.json["public"], kept
    ephemeral = await client.call("PATCH", address, json={"retention": "ephemeral"})
    assert not ephemeral.json["public"], ephemeral


@ON_ONE_SITE
async def test_what_becomes_ephemeral_has_no_address_and_no_renditions(client: Client, photo: Path) -> None:
    image, key = (await client.upload(photo)).json["id"], await new_key(client)
    assert (await fetched(client, signed_by(key, "w_60", image))).status == 200
    changed = await client.call("PATCH", f"/api/images/{image}", json={"retention": "ephemeral"})
    assert changed.status == 200
    await fetched_as(client, signed_by(key, "w_60", image), 404)


@ON_ONE_SITE
@pytest.mark.parametrize("public", ["yes", "1", '"true"'])
async def test_public_is_true_or_false(shared_client: Client, photo: Path, public: str) -> None:
    answer = await shared_client.upload(photo, public=public)
    refused(answer, 400, "invalid_request")
    assert json.loads(answer.body)["errors"][0]["key"] == "public"
