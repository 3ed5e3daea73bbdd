"""Bad uploads: each refused with its status and code, nothing kept, and the site goes on."""

import asyncio
import json
import struct
from pathlib import Path

import pytest

from tests.support.client import Client
from tests.support.multipart import BOUNDARY, END, FORM_TYPE, file_part, send, text_part
from tests.support.site_contents import (
    kept_again,
    kept_by,
    next_one_works,
    nothing_kept,
    refused,
    scratch_files,
    scratch_is_empty,
)
from tests.support.waiting import WAIT_S

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"></svg>'
DNG = b"II*\0\x08\0\0\0\1\0" + struct.pack("<HHI4s", 50706, 1, 4, b"\1\4\0\0") + bytes(4)
FAR_BIGTIFF = b"II+\0\x08\0\0\0" + struct.pack("<Q", 2**63 + 5)


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        pytest.param(b"Dear Sir or Madam,", 415, "not_an_image", id="text"),
        pytest.param(bytes(1000), 415, "not_an_image", id="zeros"),
        pytest.param(b"", 422, "empty_file", id="empty"),
        pytest.param(SVG, 415, "format_not_accepted", id="svg"),
        pytest.param(b"%PDF-1.7 and so on", 415, "format_not_accepted", id="pdf"),
        pytest.param(DNG, 415, "format_not_accepted", id="camera RAW"),
        pytest.param(FAR_BIGTIFF, 422, "image_truncated", id="BigTIFF with an impossible offset"),
        pytest.param(b"\xff\xd8\xff\xe0", 422, "image_truncated", id="four bytes of a JPEG"),
        pytest.param(bytes(60_000_000), 413, "upload_too_large", id="60 MB"),
    ],
)
async def test_a_file_that_will_not_do_is_refused_and_nothing_kept(
    shared_client: Client, small_picture: bytes, data: bytes, status: int, code: str
) -> None:
    for fields in ([], [text_part("operations", "[]")]):
        async with nothing_kept(shared_client):
            refused(await send(shared_client, file_part(data), *fields), status, code)
        await next_one_works(shared_client, small_picture)


async def test_a_bomb_of_a_few_kilobytes_is_refused_by_its_header(
    shared_client: Client, small_picture: bytes, bomb: bytes
) -> None:
    assert len(bomb) < 50_000
    async with nothing_kept(shared_client):
        detail = refused(await shared_client.upload(bomb, filename="bomb.png"), 413, "image_too_large")
        assert "400000000" in detail
    await next_one_works(shared_client, small_picture)


async def test_a_body_without_length_that_grows_too_long_is_cut_off(
    shared_client: Client, small_picture: bytes
) -> None:
    async def endless():  # noqa: ANN202 - bytes, for a while
        yield file_part(b"\xff\xd8\xff")[:-2]
        for _ in range(60):
            yield bytes(1_000_000)
        yield END

    async with nothing_kept(shared_client):
        answer = await shared_client.post("/api/images", data=endless(), headers=FORM_TYPE)
        refused(answer, 413, "upload_too_large")
    await next_one_works(shared_client, small_picture)


OPERATIONS: list[tuple[str, str, str]] = [
    ('[{"op": "explode"}]', "invalid_request", "explode"),
    ('[{"op": "resize", "wdth": 5}]', "invalid_request", "wdth"),
    ('[{"op": "resize", "width": 0}]', "invalid_request", "width"),
    ('[{"op": "resize", "width": -1}]', "invalid_request", "width"),
    ('[{"op": "resize", "width": 1e9}]', "invalid_request", "width"),
    ('[{"op": "resize", "width": 1000000000}]', "invalid_request", "width"),
    ('[{"op": "resize", "width": "5"}]', "invalid_request", "width"),
    ('[{"width": 5}]', "invalid_request", "op"),
    (json.dumps([{"op": "grayscale"}] * 21), "too_many_operations", "21"),
    ('{"op": "grayscale"}', "invalid_request", "list"),
    ("grayscale please", "invalid_request", "operations"),
    ("", "invalid_request", "operations"),
]


@pytest.mark.parametrize(("operations", "code", "named"), OPERATIONS)
async def test_operations_that_will_not_do_are_refused_naming_the_place(
    shared_client: Client, small_picture: bytes, operations: str, code: str, named: str
) -> None:
    async with nothing_kept(shared_client):
        answer = await shared_client.upload(small_picture, operations, filename="a.png")
        assert named in refused(answer, 400, code)
    await next_one_works(shared_client, small_picture)


@pytest.mark.parametrize(
    ("operations", "code", "named"),
    [one for one in OPERATIONS if one[0].startswith("[") and '"5"' not in one[0]],
)
async def test_a_transform_refuses_the_same_operations(
    client: Client, small_picture: bytes, operations: str, code: str, named: str
) -> None:
    image_id = (await client.upload(small_picture, filename="a.png", wait_s=60)).json["id"]
    async with nothing_kept(client):
        answer = await client.post(
            f"/api/images/{image_id}/transform",
            data=f'{{"operations": {operations}}}',
            headers={"Content-Type": "application/json"},
        )
        assert named in refused(answer, 400, code)
    await next_one_works(client, small_picture)


async def test_a_form_that_will_not_do_is_refused_naming_the_field(
    shared_client: Client, small_picture: bytes
) -> None:
    image = file_part(small_picture, "a.png")
    cases: list[tuple[list[bytes], str, str]] = [
        ([image, text_part("colour", "red")], "invalid_request", "colour"),
        ([image, file_part(small_picture, "b.png", name="second")], "invalid_request", "second"),
        ([image, image], "invalid_request", "image"),
        ([image, text_part("retention", "for ever")], "invalid_request", "for ever"),
        ([image, file_part(b"[]", "operations.json", name="operations")], "invalid_request", "operations"),
        ([image, text_part("operations", "[]"), text_part("operations", "[]")], "invalid_request", "twice"),
        ([image, text_part("operations", " " * 300_000)], "invalid_request", "operations"),
        ([text_part("retention", "keep")], "image_missing", "image"),
        ([text_part("image", "photo.jpg")], "image_missing", "image"),
        ([file_part(b"", "")], "image_missing", "image"),
        ([], "image_missing", "image"),
    ]
    async with nothing_kept(shared_client):
        for parts, code, named in cases:
            assert named in refused(await send(shared_client, *parts), 400, code)
    await next_one_works(shared_client, small_picture)


async def test_a_body_that_is_no_form_is_refused(shared_client: Client, small_picture: bytes) -> None:
    form = file_part(small_picture, "a.png")
    cases = [
        ({"Content-Type": "application/json"}, b'{"image": "a.png"}', 400, "invalid_request"),
        ({"Content-Type": "image/png"}, small_picture, 415, "unsupported_media_type"),
        ({"Content-Type": "multipart/form-data"}, form + END, 415, "unsupported_media_type"),
        (FORM_TYPE, form, 400, "invalid_request"),
        (FORM_TYPE, form[: len(form) // 2], 400, "invalid_request"),
        (FORM_TYPE, small_picture, 400, "invalid_request"),
        (FORM_TYPE, b"", 400, "invalid_request"),
        (FORM_TYPE, f"--{BOUNDARY}\r\nnonsense\r\n\r\n".encode() + END, 400, "invalid_request"),
        (FORM_TYPE, text_part("retention", "?").replace(b"?", b"\xff") + END, 400, "invalid_request"),
    ]  # fmt: skip
    async with nothing_kept(shared_client):
        for headers, body, status, code in cases:
            refused(await shared_client.post("/api/images", data=body, headers=headers), status, code)
    await next_one_works(shared_client, small_picture)


async def test_an_upload_whose_connection_breaks_leaves_nothing(shared_client: Client, photo: Path) -> None:
    body = file_part(photo.read_bytes())
    head = (
        f"POST /api/images HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {shared_client.token}\r\n"
        f"Content-Type: {FORM_TYPE['Content-Type']}\r\nContent-Length: {10 * len(body)}\r\n\r\n"
    )
    async with nothing_kept(shared_client):
        _, writer = await asyncio.open_connection("127.0.0.1", shared_client.site.port)
        writer.write(head.encode() + body)
        async with asyncio.timeout(WAIT_S):
            while not scratch_files(shared_client.site):
                await asyncio.sleep(0.02)
        writer.close()
        await scratch_is_empty(shared_client.site)


async def test_a_truncated_image_is_accepted_and_nothing_stays_but_its_failed_job(
    client: Client, cut_photo: bytes
) -> None:
    before = await kept_by(client)
    accepted = await client.upload(cut_photo, [{"op": "resize", "width": 50}])
    assert accepted.status == 202
    job = await client.job_done(accepted.json["job_id"])
    assert (job["status"], job["error_code"], job["result_id"]) == ("failed", "image_truncated", None)
    await client.until_gone(accepted.json["id"])
    await kept_again(client, before)
    left = (await client.get("/api/jobs")).json
    assert [(one["id"], one["error_code"]) for one in left] == [(job["id"], "image_truncated")]


async def test_a_truncated_image_without_operations_goes_the_same_way(
    client: Client, cut_photo: bytes
) -> None:
    before = await kept_by(client)
    accepted = await client.upload(cut_photo)
    assert accepted.status == 201
    assert (await client.job_done(accepted.json["job_id"]))["error_code"] == "image_truncated"
    await client.until_gone(accepted.json["id"])
    await kept_again(client, before)


async def test_who_waits_for_a_truncated_image_gets_a_problem(client: Client, cut_photo: bytes) -> None:
    before = await kept_by(client)
    for operations in (None, [{"op": "grayscale"}]):
        refused(await client.upload(cut_photo, operations, wait_s=60), 422, "image_truncated")
    await kept_again(client, before)


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ({"op": "crop", "x": 600, "y": 0, "width": 100, "height": 100}, "crop_outside"),
        (
            {"op": "resize", "width": 16_384, "height": 16_384, "fit": "fill", "enlarge": True},
            "result_too_large",
        ),
    ],
)
async def test_an_operation_that_does_not_fit_fails_its_job_and_the_image_stays(
    shared_client: Client, photo: Path, operation: dict[str, object], code: str
) -> None:
    image = (await shared_client.upload(photo, [operation], retention="keep")).json
    job = await shared_client.job_done(image["job_id"])
    assert (job["status"], job["error_code"]) == ("failed", code)
    stayed = await shared_client.get(f"/api/images/{image['id']}")
    assert (stayed.status, stayed.json["status"], stayed.json["error_code"]) == (200, "failed", code)
    original = await shared_client.get(f"/api/images/{image['id']}/download?version=original")
    assert original.body == photo.read_bytes()
    before = await kept_by(shared_client)
    again = await shared_client.post(
        f"/api/images/{image['id']}/transform",
        json={"operations": [operation]},
        headers={"Prefer": "wait=60"},
    )
    refused(again, 422, code)
    await kept_again(shared_client, before)


async def test_a_wrong_extension_is_no_fault_and_is_corrected(
    shared_client: Client, photo: Path, small_picture: bytes
) -> None:
    for data, filename, named, mime in (
        (photo.read_bytes(), "photo.png", "photo.jpg", "image/jpeg"),
        (photo.read_bytes(), "photo.tar.gz", "photo.tar.jpg", "image/jpeg"),
        (photo.read_bytes(), "photo", "photo.jpg", "image/jpeg"),
        (photo.read_bytes(), "photo.JPEG", "photo.JPEG", "image/jpeg"),
        (small_picture, "evil.php", "evil.png", "image/png"),
    ):
        answer = await shared_client.upload(data, filename=filename, retention="ephemeral")
        assert (answer.status, answer.json["filename"], answer.json["mime"]) == (201, named, mime)
