"""The keys under which images are stored, readable for people who browse the bucket."""

from datetime import datetime
from pathlib import PurePath
from uuid import UUID

STEM_BYTES = 160  # of the filename in a key; the last part of a key can have 255 bytes
ORIGINALS = "originals"
RESULTS = "results"
INBOX = "inbox"  # files that outside producers store for their orders; no account can have this name
THUMBNAILS = ".thumbnails"  # no username begins with a dot
RENDITIONS = ".renditions"
REMOTE = "remote"  # the folder of renditions of remote images
UPLOADS = ".direct-uploads"  # until an image is made of them; SeaweedFS has `.uploads` for itself


def object_key(
    username: str,
    image_id: UUID | str,
    filename: str,
    extension: str,
    *,
    folder: str,
    when: datetime,
    attempt: int = 1,
) -> str:
    """Return the key of an image's file.

    Every attempt of a job has its own key, so that the file of a lost attempt can be deleted safely.
    """
    clean = "".join(c if c.isalnum() or c in "._-" else "-" for c in PurePath(filename).stem)
    stem = clean.encode()[:STEM_BYTES].decode(errors="ignore").strip(".-")
    suffix = f".{attempt}" if attempt > 1 else ""
    return f"{key_prefix(username, image_id, folder=folder, when=when)}{suffix}-{stem or 'image'}.{extension}"


def key_prefix(username: str, image_id: UUID | str, *, folder: str, when: datetime) -> str:
    """Return what the keys of all attempts at one image start with."""
    return f"{username}/{folder}/{when:%Y/%m/%d}/{image_id}"


def thumbnail_key(object_key: str) -> str:
    """Return the key of the thumbnail of an image's file."""
    return f"{THUMBNAILS}/{object_key}"


def rendition_key(source: UUID | str, digest: str, claim_id: UUID, extension: str) -> str:
    """Return the key of a rendition; every claim has its own, so that a lost one can be deleted safely."""
    folder = REMOTE if isinstance(source, str) else source
    return f"{RENDITIONS}/{folder}/{digest}-{claim_id.hex[-8:]}.{extension}"


def upload_key(upload_id: UUID) -> str:
    """Return the key of a direct upload's file."""
    return f"{UPLOADS}/{upload_id}"


def upload_id_of(key: str) -> UUID | None:
    """Return the direct upload that an object belongs to, or None."""
    folder, _, name = key.partition("/")
    if folder != UPLOADS:
        return None
    try:
        return UUID(name)
    except ValueError:
        return None
