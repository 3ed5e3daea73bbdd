"""The webhook of a batch, sent to the address given with it."""

from uuid import uuid4

from tests.batches.csv_files import accepted, done, output_rows, products
from tests.support.client import Client
from tests.support.photo_server import picture
from tests.support.webhook_receiver import PlannedResponse, Receiver
from tests.webhooks.webhook_requests import account_secret

URLS = 300


async def test_a_batch_with_broken_urls_sends_one_webhook_with_exact_counts(
    client: Client, receiver: Receiver
) -> None:
    folder, path = f"/{uuid4()}", f"/{uuid4()}"
    receiver.plans[path] = [PlannedResponse(503), PlannedResponse(500)]
    names = [f"{folder}/{nth}.jpg" for nth in range(URLS)]
    for nth, name in enumerate(names):
        if nth % 10:
            receiver.files[name] = picture("teal", size=(32, 32 + nth))
    file = products([[receiver.url(name) for name in names[at : at + 2]] for at in range(0, URLS, 2)])
    batch = await accepted(client, file, webhook_url=receiver.url(path))

    requests = await receiver.received(path, 3)
    ended = await done(client, batch["id"])
    counts = {"total": URLS, "completed": URLS * 9 // 10, "failed": URLS // 10}
    assert {name: ended[name] for name in counts} == counts
    assert len(await output_rows(client, batch["id"])) == URLS // 2
    secret = await account_secret(client)
    for event in [one.verified(secret) for one in requests]:
        assert (event["type"], event["request_id"]) == ("batch.completed", batch["id"])
        assert event["status"] == "Completed"
        assert {name: event["data"][name] for name in counts} == counts
    assert len({(one.id, one.body) for one in requests}) == 1
    deliveries = (await client.get("/api/webhooks/deliveries")).json
    assert [one["attempts"] for one in deliveries] == [3]
    assert len(receiver.at(path)) == 3
