"""How Alembic reaches the database: by the connection that `schema.upgrade` hands over."""

from typing import Any, Literal

from alembic import context

from sop_server.storage.tables import Table
from sop_server.storage.tables.base import UtcDateTime


def _render(kind: str, item: Any, autogen_context: Any) -> str | Literal[False]:
    if kind == "type" and isinstance(item, UtcDateTime):
        autogen_context.imports.add("from sop_server.storage.tables.base import UtcDateTime")
        return "UtcDateTime()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Table.metadata,
    render_as_batch=True,
    render_item=_render,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
