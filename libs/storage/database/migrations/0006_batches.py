"""What batches need: columns, and the pauses that hosts ask for."""

from typing import Any

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns import JSON, BigInt, Boolean, Column, Timestamptz, Varchar
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.columns.indexes import IndexMethod

from libs.contracts.enums import BatchStatus, Retention

ID = "0006-batches"
VERSION = "1.38.0"
DESCRIPTION = "Batches"

PLAIN: dict[str, Any] = {
    "null": False,
    "primary_key": False,
    "unique": False,
    "index": False,
    "index_method": IndexMethod.btree,
    "choices": None,
    "db_column_name": None,
    "secret": False,
}
COLUMNS: tuple[tuple[str, str, str, type[Column], dict[str, Any]], ...] = (
    ("HostPause", "host_pause", "host", Varchar, {"length": 255, "default": "", "primary_key": True}),
    ("HostPause", "host_pause", "until", Timestamptz, {"default": TimestamptzNow()}),
    ("Batch", "batch", "operations", JSON, {"default": "[]"}),
    ("Batch", "batch", "retention", Varchar, {"length": 16, "default": "keep", "choices": Retention}),
    ("Batch", "batch", "columns", JSON, {"default": "[]"}),
    ("Batch", "batch", "bytes_before", BigInt, {"default": 0}),
    ("Batch", "batch", "bytes_after", BigInt, {"default": 0}),
    ("Batch", "batch", "started_at", Timestamptz, {"default": None, "null": True}),
    ("Job", "job", "host", Varchar, {"length": 255, "default": None, "null": True}),
    ("Job", "job", "parked", Boolean, {"default": False}),
    ("ProductImage", "product_image", "error_code", Varchar, {"length": 64, "default": None, "null": True}),
    ("ProductImage", "product_image", "cells", JSON, {"default": None, "null": True}),
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="darkroom", description=DESCRIPTION)
    manager.add_table(class_name="HostPause", tablename="host_pause", schema=None, columns=None)
    manager.drop_column(  # SQLite changes no default: it comes back in the next step
        table_class_name="ProductImage",
        tablename="product_image",
        column_name="status",
        db_column_name="status",
        schema=None,
    )
    for table, tablename, name, column, params in COLUMNS:
        manager.add_column(
            table_class_name=table,
            tablename=tablename,
            column_name=name,
            db_column_name=name,
            column_class_name=column.__name__,
            column_class=column,
            params=PLAIN | params,
            schema=None,
        )
    manager.alter_column(
        table_class_name="Batch",
        tablename="batch",
        column_name="status",
        db_column_name="status",
        params={"choices": BatchStatus},
        old_params={"choices": None},
        column_class=Varchar,
        old_column_class=Varchar,
        schema=None,
    )
    return manager
