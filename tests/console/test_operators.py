"""The operators' pages of the console."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import aio_pika
import pytest
from playwright.async_api import Browser, expect

from libs.contracts.topology import JOBS, Route
from tests.broker.connections import raw_channel
from tests.console.accessibility import serious_faults
from tests.console.support import Console, opened
from tests.orders.producer import BROKER_USER
from tests.support.client import Client
from tests.support.operators import operator_of
from tests.support.shared_sites import signed_in
from tests.support.site import Site
from tests.support.waiting import until

pytestmark = [
    pytest.mark.services,  # `make services` brings the browser
    pytest.mark.parametrize("console_site", ["services"], indirect=True),  # whose broker has dead letters
]

EVIL = "<img src=x onerror=\"document.title='taken'\">"
TOO_LARGE = [{"op": "crop", "x": 0, "y": 0, "width": 9000, "height": 9000}]


@pytest.fixture(scope="module")
def console_settings() -> dict[str, str]:
    return {"AMQP_TRUSTED_USERS": BROKER_USER}


@pytest.fixture
async def console(console_site: Site, chromium: Browser) -> AsyncIterator[Console]:
    """The console as an operator sees it; at the end, the page must not have complained."""
    async with operator_of(console_site) as client, opened(chromium, client) as console:
        yield console
        assert console.complaints == []


@pytest.fixture
async def client(console_site: Site) -> AsyncIterator[Client]:
    """An account of the site."""
    async with signed_in(console_site) as client:
        yield client


async def test_an_operator_sees_the_site_live_and_runs_a_failed_job_again(
    console: Console, client: Client, photo: Path
) -> None:
    page = await console.open("/library")
    await page.get_by_role("link", name="Operators").click()
    await expect(page.get_by_text("Live", exact=True)).to_be_visible()
    failed = (await client.upload(photo, TOO_LARGE, filename="crop.jpg")).json["job_id"]
    await client.job_done(failed)
    code = page.get_by_role("link", name="crop_outside")
    await expect(code).to_be_visible()
    assert await serious_faults(page) == []
    await console.photographed("operators-overview")

    await code.click()
    row = page.get_by_role("row").filter(has_text=client.username)
    await expect(row).to_contain_text("the crop")
    await expect(page.get_by_role("heading", name="Jobs 1", exact=True)).to_be_visible()
    assert await serious_faults(page) == []
    await console.photographed("operators-jobs")
    await row.get_by_role("link", name="Transform").click()
    timeline = page.get_by_role("list").filter(has_text="Requested")
    await expect(timeline).to_contain_text("for attempt 1")
    await expect(timeline).to_contain_text("crop_outside")
    await expect(timeline.get_by_text(re.compile(r"waited \d"))).to_be_visible()
    await expect(timeline.get_by_text(re.compile(r"ran \d"))).to_be_visible()
    await expect(page.get_by_role("region", name="Command").last).to_contain_text('"op": "crop"')
    assert await serious_faults(page) == []
    await console.photographed("operators-job")
    await console.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await page.get_by_role("button", name="Copy as text").click()
    await expect(page.get_by_text("Copied", exact=True)).to_be_visible()
    copied = str(await page.evaluate("navigator.clipboard.readText()")).splitlines()
    assert [line.split()[1] for line in copied] == ["queued", "claimed", "failed"]
    assert f'job_id="{failed}"' in copied[2]
    await page.get_by_role("button", name="Retry").click()
    await expect(timeline).to_contain_text("Run again by a person")
    await expect(timeline.get_by_text("Claimed")).to_have_count(2)  # the page follows the job
    await expect(timeline.get_by_text("Failed", exact=True)).to_have_count(2)
    assert await page.title() != "taken"


async def test_an_operator_closes_an_account_and_the_audit_log_tells(
    console: Console, client: Client, photo: Path
) -> None:
    image = (await client.upload(photo)).json["id"]
    await client.call("PATCH", f"/api/images/{image}", json={"filename": f"{EVIL}.jpg"})
    page = await console.open(f"/admin/images?owner={client.username}")
    await expect(page.get_by_role("cell", name=EVIL).first).to_be_visible()
    await expect(page.get_by_role("heading", name="Images 1", exact=True)).to_be_visible()
    assert await serious_faults(page) == []
    await console.photographed("operators-images")
    await page.get_by_role("button", name="Delete").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(page.get_by_text("The image is deleted")).to_be_visible()
    await expect(page.get_by_role("heading", name="Images 0", exact=True)).to_be_visible()

    await page.get_by_role("link", name="Accounts", exact=True).click()
    await page.get_by_label("Part of the name or email").fill(client.username)
    await page.get_by_role("button", name="Show").click()
    await page.get_by_role("link", name=client.username).click()
    await expect(page.get_by_text("1 login open")).to_be_visible()
    assert await serious_faults(page) == []
    await console.photographed("operators-account")
    await page.get_by_role("button", name="New password…").click()
    await expect(page.get_by_role("dialog")).to_contain_text("/accounts/reset/")
    await page.get_by_label("I have kept it").check()
    await page.get_by_role("button", name="Close", exact=True).click()
    await page.get_by_role("button", name="Deactivate").click()
    await page.get_by_role("dialog").get_by_role("button", name="Deactivate").click()
    await expect(page.get_by_role("button", name="Activate", exact=True)).to_be_visible()
    assert (await client.get("/accounts/me")).status == 401

    await page.get_by_role("link", name="Audit log").click()
    for action, detail in (
        ("account.deactivate", client.username),
        ("account.reset_password", client.username),
        ("image.delete", EVIL),
    ):
        row = page.get_by_role("row").filter(has_text=action).filter(has_text=detail).first
        await expect(row).to_contain_text(console.client.username)
    await expect(page.get_by_role("row").filter(has_text=image)).to_have_count(1)
    assert await serious_faults(page) == []
    await console.photographed("operators-audit")
    assert await page.title() != "taken"


async def test_a_dead_letter_is_read_and_submitted_again_once_its_cause_is_gone(
    console: Console, console_site: Site, photo: Path
) -> None:
    owner = f"late-{uuid4().hex[:8]}"
    order = {"type": "ingest.v1", "owner": owner, "source": {"url": "data:image/png;base64,AAAA"}}
    async with raw_channel(console_site.settings["BROKER_URL"]) as channel:
        jobs = await channel.get_exchange(JOBS, ensure=False)
        message = aio_pika.Message(json.dumps(order).encode(), user_id=BROKER_USER, message_id=EVIL)
        await jobs.publish(message, Route.INGEST.value)

    page = await console.open("/admin/dead-letters")
    row = page.get_by_role("row").filter(has_text=owner)

    async def listed() -> bool:
        await page.get_by_role("button", name="Load again").click()
        return await row.count() == 1

    await until(listed)
    await expect(row).to_contain_text("unknown_owner")
    assert await serious_faults(page) == []
    await console.photographed("operators-dead-letters")
    await row.get_by_role("button", name="Show").click()
    await expect(page.get_by_role("dialog")).to_contain_text("data:image/png")
    await expect(page.get_by_role("dialog")).to_contain_text(EVIL)
    await page.get_by_role("button", name="Close", exact=True).click()
    await row.get_by_role("button", name="Submit").click()
    await expect(page.get_by_role("log")).to_contain_text("stays: unknown_owner")
    async with Client(console_site) as late:
        late.username = owner
        await late.register()
        await row.get_by_role("button", name="Submit").click()
        await expect(page.get_by_text("There are no dead letters.")).to_be_visible()
        await late.login()
        assert [job["kind"] for job in (await late.get("/api/jobs")).json] == ["ingest"]
    assert await page.title() != "taken"


async def test_an_operator_disables_a_webhook_and_enables_it(console: Console, client: Client) -> None:
    url = f"https://hooks.example.org/{EVIL}"
    hook = (await client.post("/api/webhooks", json={"url": url})).json
    page = await console.open(f"/admin/webhooks?owner={client.username}")
    row = page.get_by_role("row").filter(has_text=hook["url"])
    await expect(row).to_contain_text("Active")
    await expect(row.get_by_text("Never")).to_have_count(2)
    assert await serious_faults(page) == []
    await console.photographed("operators-webhooks")
    await row.get_by_role("button", name="Disable").click()
    await page.get_by_role("dialog").get_by_role("button", name="Disable").click()
    await expect(row).to_contain_text("By an operator")
    assert (await client.get(f"/api/webhooks/{hook['id']}")).json["active"] is False
    await row.get_by_role("button", name="Enable").click()
    await expect(row).to_contain_text("Active")
    await row.get_by_role("link", name="Deliveries").click()
    await expect(page.get_by_text("No delivery is like that.")).to_be_visible()
    await expect(page.get_by_label("Id of the webhook")).to_have_value(hook["id"])
    assert await page.title() != "taken"


async def test_every_section_is_accessible_and_the_stores_are_compared(console: Console) -> None:
    page = await console.open("/admin/recovery")
    await expect(page.get_by_text("Nothing is set aside.")).to_be_visible()
    await page.get_by_role("button", name="Compare now").click()
    await expect(page.get_by_role("button", name="Compare now")).to_be_visible()
    await expect(page.get_by_role("status").filter(has_text="compared")).to_be_visible()
    await console.photographed("operators-recovery")
    for section in ("batches", "webhooks", "deliveries", "accounts", "upload-tokens", "keys"):
        await console.open(f"/admin/{section}")
        await expect(page.get_by_role("search")).to_be_visible()
        await expect(page.get_by_role("main").get_by_role("status")).to_have_count(0)
        assert await serious_faults(page) == [], section
    await console.photographed("operators-keys")
    await page.set_viewport_size({"width": 390, "height": 844})
    for section in ("overview", "accounts", "audit"):
        await console.open(f"/admin/{section}")
        await expect(
            page.get_by_role("main").get_by_role("row").or_(page.get_by_text("Live")).first
        ).to_be_attached()
        assert await serious_faults(page) == [], section
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), section


async def test_an_account_that_is_no_operator_gets_no_entry_and_no_page(
    console_site: Site, chromium: Browser
) -> None:
    async with signed_in(console_site) as client, opened(chromium, client) as console:
        page = await console.open("/admin/overview")
        await expect(page.get_by_text("Only operators of this server see this.")).to_be_visible()
        await expect(page.get_by_role("link", name="Operators")).to_have_count(0)
