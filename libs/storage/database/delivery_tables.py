"""The tables of images by URL, the same on PostgreSQL and SQLite."""

from piccolo.columns import UUID, BigInt, Boolean, ForeignKey, Integer, OnDelete, Text, Timestamptz, Varchar
from piccolo.table import Table

from libs.storage.database.tables import BaseUser, Image, new_id, now


class Preset(Table):
    """Operations that an account has named, for every door that takes operations."""

    id = UUID(primary_key=True, default=new_id)
    owner = ForeignKey(BaseUser, on_delete=OnDelete.cascade, null=False)
    name = Varchar(63)  # unique for an owner
    operations = Text()  # JSON
    public = Boolean(default=False)  # whether it needs no signature over public images
    cache = Boolean(default=True)  # whether its renditions are stored
    formats = Text(default="[]")  # JSON: what addresses without an extension may get, the best first
    fallback = UUID(null=True, default=None)  # the image that is sent instead of an error
    created_at = Timestamptz(default=now)
    updated_at = Timestamptz(default=now)


class DeliveryKey(Table):
    """A key that signs addresses of an account's images. HMAC needs the secret itself."""

    id = UUID(primary_key=True, default=new_id)
    owner = ForeignKey(BaseUser, on_delete=OnDelete.cascade, null=False)
    name = Varchar(100)
    key_id = Varchar(16, unique=True)  # what addresses name
    secret = Varchar(128, secret=True)
    created_at = Timestamptz(default=now)


class Rendition(Table):
    """A stored result of an address under /t/; while it is rendered, the claim of who renders it."""

    id = UUID(primary_key=True, default=new_id)
    owner = ForeignKey(BaseUser, on_delete=OnDelete.cascade, null=True)  # null: a remote image of no account
    image = ForeignKey(Image, on_delete=OnDelete.cascade, null=True)  # null: of a remote image
    preset = Varchar(63, null=True, default=None)
    digest = Varchar(40, unique=True)  # of the source and the operations
    object_key = Varchar(512)
    ready = Boolean(default=False)
    lease_until = Timestamptz(null=True, default=None)  # of the claim
    format = Varchar(16, default="")
    mime = Varchar(64, default="")
    width = Integer(default=0)
    height = Integer(default=0)
    size_bytes = BigInt(default=0)
    md5 = Varchar(32, default="")
    used_at = Timestamptz(default=now)  # noted from time to time
    created_at = Timestamptz(default=now)
