"""Addresses whose arguments are not names that Python allows, or come as they are."""

from collections.abc import Mapping
from typing import Any

from flask import url_for


def comparison(sop_id: str, before: int, after: int, *, view: str | None = None) -> str:
    """Return the address of what changed from one revision to another."""
    return to("history.compare", {"sop_id": sop_id, "from": before, "to": after, "view": view})


def to(endpoint: str, arguments: Mapping[str, Any]) -> str:
    """Return the address of an endpoint with these arguments; those that are None are left out."""
    return url_for(endpoint, **arguments)
