"""Answers of the desk: a log on real offers, and what the future may hold for its team.

Each takes the fields of `desk_choice`.

**desk** {} → {formats: [{key, title}], template}: what there is to choose, and a team's file to fill in.

**bill** → one part {bill, log: {name, sample}, command, python}: `bill` as `billing.document` gives it.
Progress is `desk.progress.KEY` (sample, reading, catalogue, billing), done of all.

**outlook** → parts {outlook, draws, of, command, python}: advice as `report.advice.shown` gives it, from few
futures first, then from all. Progress is `desk.progress.KEY` by step.

Exports (query `choice`: the fields as JSON; `lang`): bills.csv, bills.json, report.html, advice.html,
advice.json, gateway.zip. What was just shown is taken from memory; else it is made again.
"""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pricewar.app.desk_choice import Choice, choice, command, python
from pricewar.app.desk_runs import Held, advice, bill_of, held, usage_of
from pricewar.app.topics import File
from pricewar.app.war_runs import StoppedError
from pricewar.errors import ConfigurationError, DataError

if TYPE_CHECKING:
    from pricewar.app.session import Job

SMALL = 60
"""Futures of the first answer."""


def about(_: Mapping[str, Any], __: Job) -> Iterator[dict[str, Any]]:
    """Topic "desk"."""
    from pricewar.advice.team_template import template
    from pricewar.usage.formats import FORMATS

    formats = [{"key": key, "title": f.title} for key, f in FORMATS.items() if not f.bill]
    yield {"formats": formats, "template": template()}


def bill(message: Mapping[str, Any], job: Job) -> Iterator[dict[str, Any]]:
    """Topic "bill"."""
    asked = choice(message)
    try:
        log = held(asked, job)
        shown = bill_of(asked, log, job)
    except StoppedError:
        return
    yield {
        "bill": shown,
        "log": {"name": log.name, "sample": not asked.log},
        "command": command(asked, log.name),
        "python": python(asked, log.name),
    }


def outlook(message: Mapping[str, Any], job: Job) -> Iterator[dict[str, Any]]:
    """Topic "outlook"."""
    asked = choice(message)
    asked.read_team()  # a mistake is told at once
    try:
        log = held(asked, job)
        for draws, found in advice(asked, log, (SMALL, asked.draws), job):
            yield _outlook(found, draws, asked, log)
    except StoppedError:
        return


def _outlook(found: Mapping[str, Any], draws: int, asked: Choice, log: Held) -> dict[str, Any]:
    from pricewar.report.advice import shown

    again = replace(asked, draws=draws)
    return {
        "outlook": shown(found),
        "draws": draws,
        "of": asked.draws,
        "command": command(again, log.name, outlook=True),
        "python": python(again, log.name, outlook=True),
    }


# ---------------------------------------------------------------- files to take away


def bills_csv(query: Mapping[str, str], job: Job) -> File:
    """The comparison, one offer a line."""
    from pricewar.billing.document import csv

    shown, _ = _bill(query, job)
    return File("bills.csv", "text/csv; charset=utf-8", csv(shown).encode())


def bills_json(query: Mapping[str, str], job: Job) -> File:
    """The comparison as data."""
    shown, _ = _bill(query, job)
    return File("bills.json", "application/json", _json(shown))


def report_html(query: Mapping[str, str], job: Job) -> File:
    """The report of `pricewar bill --html`."""
    from pricewar.report import html

    shown, _ = _bill(query, job)
    text = html(shown, language=query.get("lang", "en"))
    return File("report.html", "text/html; charset=utf-8", text.encode())


def advice_html(query: Mapping[str, str], job: Job) -> File:
    """The page of `pricewar advise --html`."""
    from pricewar.report.advice import html

    found, _, _ = _advice(query, job)
    text = html(found, language=query.get("lang", "en"))
    return File("advice.html", "text/html; charset=utf-8", text.encode())


def advice_json(query: Mapping[str, str], job: Job) -> File:
    """The advice as data."""
    return File("advice.json", "application/json", _json(_advice(query, job)[0]))


def gateway_zip(query: Mapping[str, str], job: Job) -> File:
    """The folder of `pricewar advise --gateway`."""
    from pricewar.advice.gateway_made import make
    from pricewar.offers.catalogue import load_catalogue

    found, asked, log = _advice(query, job)
    usage = usage_of(asked, log, job)

    def say(_: str) -> None:
        if job.cancelled:
            raise DataError("no longer wanted")

    with tempfile.TemporaryDirectory(prefix="pricewar-") as made:
        folder = Path(made) / "gateway"
        make(folder, found, usage, load_catalogue(asked.day), say=say)
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(folder.iterdir()):
                archive.write(file, f"gateway/{file.name}")
    return File("gateway.zip", "application/zip", out.getvalue())


def _asked(query: Mapping[str, str]) -> Choice:
    try:
        message = json.loads(query.get("choice", "{}"))
    except ValueError:
        message = None
    if not isinstance(message, dict):
        raise ConfigurationError("is not JSON", where="choice")
    return choice(message)


def _bill(query: Mapping[str, str], job: Job) -> tuple[dict[str, Any], Choice]:
    asked = _asked(query)
    return bill_of(asked, held(asked, job), job), asked


def _advice(query: Mapping[str, str], job: Job) -> tuple[dict[str, Any], Choice, Held]:
    asked = _asked(query)
    asked.read_team()
    log = held(asked, job)
    *_, (_, found) = advice(asked, log, (asked.draws,), job)
    return found, asked, log


def _json(data: Any) -> bytes:
    return (json.dumps(data, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()
