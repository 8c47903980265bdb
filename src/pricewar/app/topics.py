"""Who answers what: topics of the socket, files to take away, and where each is written.

A handler is `(message, job) -> iterator of parts`, run in a worker thread; a part is JSON-able, None where
unknown. An export is `(query, job) -> File`. Each is named as "module:function" and loaded when first asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pricewar.app.session import Job

Handler = Callable[[Mapping[str, Any], "Job"], Iterator[Mapping[str, Any]]]
Export = Callable[[Mapping[str, str], "Job"], "File"]


@dataclass(frozen=True)
class File:
    """A file to take away: its name, media type and content."""

    name: str
    media: str
    body: bytes


TOPICS: dict[str, str] = {
    "markets": "pricewar.app.war:markets",
    "war": "pricewar.app.war:answer",
    "why": "pricewar.app.war_why:why",
    "solve": "pricewar.app.war_solve:solve",
    "desk": "pricewar.app.desk:about",
    "bill": "pricewar.app.desk:bill",
    "outlook": "pricewar.app.desk:outlook",
}
"""Topics of the socket."""

EXPORTS: dict[str, str] = {
    "bills.csv": "pricewar.app.desk:bills_csv",
    "bills.json": "pricewar.app.desk:bills_json",
    "report.html": "pricewar.app.desk:report_html",
    "advice.html": "pricewar.app.desk:advice_html",
    "advice.json": "pricewar.app.desk:advice_json",
    "gateway.zip": "pricewar.app.desk:gateway_zip",
}
"""Files under /export/, by name."""


@cache
def load(place: str) -> Any:
    """The function a table names."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)
