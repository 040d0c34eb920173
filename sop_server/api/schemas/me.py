"""Oneself."""

from sop_server.api.schemas.base import Output


class Me(Output):
    """The person for whom the token acts; roles are written `approver@payments`, or `approver` for all."""

    email: str
    name: str
    roles: list[str]
    teams: list[str]
    scope: str
