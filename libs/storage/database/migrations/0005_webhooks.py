"""What webhooks need beyond their first two tables, as SQL that runs on both engines."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from libs.storage.database.tables import WebhookDelivery

ID = "0005-webhooks"
VERSION = "1.38.0"
DESCRIPTION = "Secrets that rotate, claimed deliveries, pace of receivers"

STATEMENTS = (
    "alter table webhook_endpoint add column previous_secret varchar(128)",
    "alter table webhook_endpoint add column previous_until timestamptz",
    "alter table webhook_endpoint add column disabled_reason varchar(64)",
    "alter table webhook_delivery add column target bigint not null default 0",
    "alter table webhook_delivery add column subject uuid",
    "alter table webhook_delivery add column request_id varchar(64)",
    "alter table webhook_delivery add column failures integer not null default 0",
    "alter table webhook_delivery add column history json not null default '[]'",
    "alter table webhook_delivery add column finished_at timestamptz",
    """
create table webhook_secret (
  id uuid primary key not null,
  owner integer not null unique references piccolo_user (id) on delete cascade,
  secret varchar(128) not null,
  previous_secret varchar(128),
  previous_until timestamptz
)
""",
    "create table webhook_pace (id uuid primary key not null, target bigint not null unique, until timestamptz not null)",
    "create index webhook_endpoint_of_owner on webhook_endpoint (owner, id)",
    "create index webhook_delivery_of_owner on webhook_delivery (owner, id)",
    "create index webhook_delivery_endpoint on webhook_delivery (endpoint)",
    "create index webhook_delivery_finished on webhook_delivery (finished_at) where finished_at is not null",
    "create index webhook_delivery_sending on webhook_delivery (target) where status = 'sending'",
    "drop index webhook_delivery_due",
    "create index webhook_delivery_due on webhook_delivery (next_attempt_at) where finished_at is null",
    "create index webhook_delivery_waiting on webhook_delivery (target, next_attempt_at) where finished_at is null",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="darkroom", description=DESCRIPTION)

    async def run() -> None:
        for statement in STATEMENTS:
            await WebhookDelivery.raw(statement.strip())

    manager.add_raw(run)
    return manager
