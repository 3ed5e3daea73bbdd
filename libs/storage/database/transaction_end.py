"""The end of a transaction, the same for both engines."""

from piccolo.engine.postgres import PostgresTransaction
from piccolo.engine.sqlite import SQLiteTransaction


async def end_transaction(transaction: PostgresTransaction | SQLiteTransaction, *, failed: bool) -> None:
    """Roll back if `failed`, else commit; do nothing if the block has done either itself."""
    if transaction._committed or transaction._rolled_back:  # pyright: ignore[reportPrivateUsage]
        return
    await (transaction.rollback() if failed else transaction.commit())
