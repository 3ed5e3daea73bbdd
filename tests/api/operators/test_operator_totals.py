"""How many records the lists of operators say there are."""

from pathlib import Path
from uuid import uuid4

from libs.storage.bounded_count import MOST
from libs.storage.database.connection import open_database
from libs.storage.database.operator_tables import AuditEntry
from tests.batches.csv_files import accepted, products
from tests.support.client import Client
from tests.support.photo_server import PhotoServer
from tests.support.site import Site

AT_ONCE = 500  # rows of one statement


async def test_each_list_of_operators_says_on_every_page_how_many_records_match(
    client: Client, operator: Client, photo: Path, photo_server: PhotoServer
) -> None:
    for number in range(2):
        gray = [{"op": "grayscale"}]
        answer = await client.upload(photo, gray, webhook_url=photo_server.url("/no-receiver"))
        await client.job_done(answer.json["job_id"])
        await client.post("/accounts/me/keys", json={"name": f"shop {number}", "scopes": ["jobs"]})
        await accepted(client, products([[photo_server.url(f"/{client.username}-{number}.jpg")]]))
    for records in ("images", "jobs", "deliveries", "keys", "batches"):
        every = f"/api/operator/{records}?owner={client.username}"
        count = len((await operator.get(f"{every}&limit=100")).json)
        first = await operator.get(f"{every}&limit=1")
        second = await operator.get(first.headers["Link"].partition(">")[0].strip("<"))
        totals = [answer.headers["X-Total-Count"] for answer in (first, second)]
        assert count > 1
        assert totals == [str(count)] * 2, records
        assert "X-Total-Count-Relation" not in first.headers
    failed = await operator.get(f"/api/operator/jobs?owner={client.username}&status=failed")
    assert failed.headers["X-Total-Count"] == str(len(failed.json))
    named = await operator.get(f"/api/operator/accounts?search={client.username}")
    nobody = await operator.get(f"/api/operator/accounts?search={uuid4()}")
    assert (named.headers["X-Total-Count"], nobody.headers["X-Total-Count"]) == ("1", "0")


async def test_a_list_of_more_than_ten_thousand_records_says_that_there_are_more(
    site: Site, operator: Client
) -> None:
    about = str(uuid4())
    address = f"/api/operator/audit?about={about}&limit=1"
    database = site.settings.get("DATABASE_URL", f"sqlite:///{site.settings['DATA_DIR']}/darkroom.sqlite")
    async with open_database(database):
        for _ in range(MOST // AT_ONCE):
            entries = [
                AuditEntry(operator=1, username="many", action="job.retry", kind="job", subject=about)
                for _ in range(AT_ONCE)
            ]
            await AuditEntry.insert(*entries)
        exact = (await operator.get(address)).headers
        await AuditEntry(operator=1, username="many", action="job.retry", kind="job", subject=about).save()
        more = (await operator.get(address)).headers
        await AuditEntry.delete().where(AuditEntry.subject == about)
    assert (exact["X-Total-Count"], exact.get("X-Total-Count-Relation")) == ("10000", None)
    assert (more["X-Total-Count"], more["X-Total-Count-Relation"]) == ("10000", "gte")
