"""The URL that chooses an object store."""

from pathlib import Path

import pytest

from libs.storage.objects import open_objects
from libs.storage.objects.local import LocalObjects
from libs.storage.objects.s3 import S3Objects


def test_the_scheme_chooses(tmp_path: Path) -> None:
    assert isinstance(open_objects((tmp_path / "a b").as_uri(), tmp_path), LocalObjects)
    assert isinstance(
        open_objects("s3://k:s%2Fe%40c@host:9000/bucket?secure=0&region=eu-1", tmp_path), S3Objects
    )
    assert (tmp_path / "a b").is_dir()


async def test_credentials_are_percent_decoded(tmp_path: Path) -> None:
    store = open_objects("s3://k%2Fy:s%2F%40c@host:9000/bucket?secure=false", tmp_path)
    link = await store.link("a", expires_s=60, content_type="image/png", disposition="inline")
    assert link is not None
    assert link.startswith("http://host:9000/bucket/a?")
    assert "X-Amz-Credential=k%2Fy%2F" in link


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "begin with"),
        ("/data/objects", "begin with"),
        ("ftp://host/a", "begin with"),
        ("file://data/objects", "three slashes"),
        ("file:data", "absolute"),
        ("file:///data?secure=false", "without options"),
        ("s3://host/bucket", "credentials"),
        ("s3://key@host/bucket", "credentials"),
        ("s3://key:s3cret@/bucket", "host"),
        ("s3://key:s3cret@host", "bucket"),
        ("s3://key:s3cret@host/", "bucket"),
        ("s3://key:s3cret@host/bucket/folder", "bucket"),
        ("s3://key:s3cret@host/Bucket", "bucket"),
        ("s3://key:s3cret@host:port/bucket", "port"),
        ("s3://key:s3cret/more@host/bucket", "percent-encoded"),
        ("s3://key:s3cret#more@host/bucket", "percent-encoded"),
        ("s3://key:s3cret@host/bucket?secure=maybe", "secure"),
        ("s3://key:s3cret@host/bucket?sekure=false", "sekure"),
        ("s3://key:s3cret@host/bucket?public_url=files.example.com", "public_url"),
        ("s3://key:s3cret@host/bucket?public_url=https://files.example.com/objects", "public_url"),
    ],
)
def test_a_bad_url_is_explained_without_its_secret(tmp_path: Path, url: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        open_objects(url, tmp_path)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
