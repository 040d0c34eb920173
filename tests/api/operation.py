"""Who calls the API in the tests, and when."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass
class Clock:
    """The instant that everybody shares; a test moves it."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **elapsed: float) -> None:
        self.now += timedelta(**elapsed)


@dataclass(frozen=True)
class Caller:
    """One of the cast at the API, or a stranger where there is no token."""

    client: FlaskClient
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **query: object) -> TestResponse:
        return self.client.get(f"/api/v1{path}", query_string=query, headers=self.headers)

    def post(self, path: str, **body: object) -> TestResponse:
        return self.client.post(f"/api/v1{path}", json=body, headers=self.headers)

    def put(self, path: str, *, headers: dict[str, str] | None = None, **body: object) -> TestResponse:
        return self.client.put(f"/api/v1{path}", json=body, headers={**self.headers, **(headers or {})})

    def patch(self, path: str, **body: object) -> TestResponse:
        return self.client.patch(f"/api/v1{path}", json=body, headers=self.headers)

    def send(self, method: str, path: str, raw: bytes, content_type: str | None = "application/json") -> TestResponse:
        return self.client.open(
            f"/api/v1{path}", method=method, data=raw, content_type=content_type, headers=self.headers
        )


As = Callable[[str], Caller]
Make = Callable[..., dict[str, Any]]
