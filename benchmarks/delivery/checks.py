"""Check that what is compared is alike: the same format and size, and pixels that hardly differ."""

from io import BytesIO

import aiohttp
from PIL import Image
from yarl import URL

from benchmarks.delivery.cases import Case
from benchmarks.delivery.compare import ROUNDS
from benchmarks.delivery.subjects import Subject

CHECKED = ROUNDS + 2  # a round that is not measured


async def check_alike(subjects: list[Subject], case: Case) -> None:
    """Fetch an image of each service, and print the size of its file.

    Raises:
        ValueError: It has another format or size than the case says.
    """
    sizes: list[str] = []
    async with aiohttp.ClientSession(headers={"Accept": "*/*"}) as session:
        for subject in subjects:
            url = URL(subject.url + subject.paths(case, CHECKED)[0], encoded=True)
            async with session.get(url) as answer:
                body = await answer.read()
                if answer.status != 200:
                    raise ValueError(f"{url}: {answer.status}")
            with Image.open(BytesIO(body)) as image:
                if image.format != case.format.upper() or image.width != case.width:
                    raise ValueError(f"{url}: {image.format} of {image.size}")
            sizes.append(f"{subject.name} {len(body):,}")
    print(f"{case.title}, bytes: {'; '.join(sizes)}")
