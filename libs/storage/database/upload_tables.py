"""The tables of uploads that browsers make on their own, the same on PostgreSQL and SQLite."""

from piccolo.columns import UUID, BigInt, ForeignKey, Integer, OnDelete, Text, Timestamptz, Varchar
from piccolo.table import Table

from libs.storage.database.tables import ApiKey, BaseUser, new_id, now


class UploadToken(Table):
    """A token that lets browsers upload a few images for an account; the token itself is not stored."""

    id = UUID(primary_key=True, default=new_id)
    owner = ForeignKey(BaseUser, on_delete=OnDelete.cascade, null=False)
    made_by = ForeignKey(ApiKey, on_delete=OnDelete.cascade, null=True)  # the key it ends with; null: a login
    token_id = Varchar(12, unique=True)  # the part of the token that is no secret
    digest = Varchar(64, secret=True)  # SHA-256 of the token, hex
    max_bytes = BigInt()
    formats = Varchar(255, default="")  # separated by spaces; none: all that are accepted
    terms = Text()  # UploadTerms as JSON
    allowed = Integer()
    used = Integer(default=0)  # images stored, and open direct uploads
    expires_at = Timestamptz()
    created_at = Timestamptz(default=now)


class DirectUpload(Table):
    """A file that a client stores at a signed address, and then makes an image of."""

    id = UUID(primary_key=True, default=new_id)
    owner = ForeignKey(BaseUser, on_delete=OnDelete.cascade, null=False)
    token = ForeignKey(UploadToken, on_delete=OnDelete.set_null, null=True)  # that it counts for
    filename = Varchar(255)
    content_type = Varchar(128)
    size_bytes = BigInt()
    md5 = Varchar(32, null=True, default=None)
    image = UUID(null=True, default=None)  # that was made of it
    expires_at = Timestamptz()  # then the file and the row are removed
    created_at = Timestamptz(default=now)
