"""CSV files sent as an older service documents it, by curl, and the webhook that it sends."""

from pathlib import Path
from uuid import UUID, uuid4

import pytest

from tests.support.admin_client import open_admin_client
from tests.support.client import PASSWORD, Client
from tests.support.curl import Curl
from tests.support.shared_sites import signed_in
from tests.support.site import Site
from tests.support.site_contents import refused
from tests.support.webhook_receiver import Receiver
from tests.webhooks.webhook_requests import account_secret

STATUSES = ("Pending", "In Process", "Completed", "Failed")
HEADER = "S. No.,Product Name,Input Image Urls\n"


def sheet_of(directory: Path, *urls: str) -> Path:
    path = directory / "products.csv"
    path.write_text(HEADER + "".join(f"{at},SKU{at},{url}\n" for at, url in enumerate(urls, 1)))
    return path


@pytest.mark.parametrize(
    ("upload", "status"),
    [("/upload/", "/status/{}/"), ("/api/upload/", "/api/status/{}/"), ("/upload", "/api/status/{}")],
)
async def test_a_csv_file_is_accepted_and_processed_and_its_webhook_sent(
    curl: Curl,
    client: Client,
    receiver: Receiver,
    photo: Path,
    tmp_path: Path,
    upload: str,
    status: str,
) -> None:
    picture, path = f"/{uuid4()}.jpg", f"/{uuid4()}"
    receiver.files[picture] = photo.read_bytes()
    file = sheet_of(tmp_path, receiver.url(picture))
    webhook_url = f"webhook_url={receiver.url(path)}"
    taken = await curl(upload, "-X", "POST", "-F", f"file=@{file}", "-F", webhook_url)
    assert taken.status == 202, taken
    request_id = taken.json["request_id"]
    assert UUID(request_id)
    answer = await curl(status.format(request_id))
    assert (answer.status, answer.json["request_id"]) == (200, request_id)
    assert answer.json["status"] in STATUSES

    [event] = await receiver.received(path)
    assert {name: event.content[name] for name in ("request_id", "status")} == {
        "request_id": request_id,
        "status": "Completed",
    }
    event.verified(await account_secret(client))
    assert (await curl(status.format(request_id))).json["status"] == "Completed"


async def test_a_csv_file_that_is_none_is_refused(curl: Curl, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("a,b\n1,2\n")
    assert (await curl("/upload/", "-F", f"file=@{wrong}")).status in (400, 422)
    refused(await curl("/upload/", "-F", "webhook_url=http://example.org/"), 400, "invalid_request")


async def test_the_status_of_another_accounts_file_is_not_found(
    site: Site, curl: Curl, receiver: Receiver, tmp_path: Path
) -> None:
    taken = await curl("/upload/", "-F", f"file=@{sheet_of(tmp_path, receiver.url('/none.jpg'))}")
    async with signed_in(site) as other:
        other_client = Curl(other.site, other.token)
        refused(await other_client(f"/status/{taken.json['request_id']}/"), 404, "batch_not_found")
    refused(await curl(f"/status/{uuid4()}/"), 404, "batch_not_found")


async def test_operators_see_input_and_output_and_run_again_what_failed(
    site: Site, curl: Curl, receiver: Receiver, photo: Path, tmp_path: Path
) -> None:
    picture, missing, path = f"/{uuid4()}.jpg", f"/{uuid4()}.jpg", f"/{uuid4()}"
    receiver.files[picture] = photo.read_bytes()
    receiver.files[missing] = b"no picture yet"
    urls = [receiver.url(picture), receiver.url(missing)]
    told_at = f"webhook_url={receiver.url(path)}"
    sent = await curl("/upload/", "-F", f"file=@{sheet_of(tmp_path, *urls)}", "-F", told_at)
    batch = sent.json["request_id"]
    await receiver.received(path)

    name = f"admin-{uuid4().hex[:8]}"
    await site.run("create-admin", "--username", name, "--password", PASSWORD)
    async with open_admin_client(site) as browser:
        await browser.log_in(name)
        rows = {row["input_url"]: row for row in await browser.rows("product_image", batch=batch)}
        assert rows[urls[0]]["status"] == "completed"
        picture_of = await browser.get(f"admin-api/images/{rows[urls[0]]['output']}/thumbnail/")
        assert (picture_of.status, picture_of.headers["Content-Type"]) == (200, "image/webp")
        assert rows[urls[1]]["status"] == "failed"

        [job] = await browser.rows("job", batch=batch, status="failed")
        alone = await browser.call("POST", f"admin-api/jobs/{job['id']}/retry/")
        assert (alone.status, alone.json["code"]) == (409, "job_not_failed")
        receiver.files[missing] = photo.read_bytes()
        again = await browser.call("POST", f"admin-api/batches/{batch}/retry/")
        assert again.status == 200
        await receiver.received(path, 2)
        assert {row["status"] for row in await browser.rows("product_image", batch=batch)} == {"completed"}
        assert (await browser.call("POST", f"admin-api/batches/{uuid4()}/retry/")).status == 404
