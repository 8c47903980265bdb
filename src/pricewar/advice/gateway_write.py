"""The folder that carries the plan out: configurations, calendar, a page to read, a script that switches.

Everything is made in a folder beside it and put in place by renaming, so a reader finds the old folder or the
new one. What the team has put there (its `config.yaml` in use, its environment) is kept.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml

from pricewar.advice.gateway import PLAN, REST, HandOff, Period, told
from pricewar.advice.gateway_calendar import Entry, as_ics
from pricewar.advice.gateway_predict import Prediction
from pricewar.errors import ConfigurationError
from pricewar.units import decimal

MADE_BY = "pricewar advise --gateway"
MARK = "calendar.json"
DIGITS = 12
"""Of a price that no decimal ends: a currency converted."""

SWITCH = """#!/bin/sh
# Usage: ./switch.sh [NAME]
# Puts config-NAME.yaml in place as config.yaml and reloads the proxy with the command in GATEWAY_RELOAD,
# such as GATEWAY_RELOAD="systemctl restart litellm". Without NAME: the newest dated configuration that is due
# by now (UTC), and nothing at all if it was due at the last switch already, so that cron may run it every
# hour, and what was put in place by hand, or changed there, stays until another is due; beside a
# config-without-… it says so and changes nothing. Should the reload fail, the configuration before is back.
# Exit codes: 0 done, or nothing to do; 1 the reload failed; 2 there is no such configuration, or one is due
# that would undo what was put in place by hand.
set -eu
export LC_ALL=C
cd "$(dirname "$0")"
name=${1:-}
due=
now=$(date -u +%Y-%m-%dT%H%M)
for file in config-[0-9]*.yaml; do
  stamp=${file#config-}
  stamp=${stamp%.yaml}
  case $stamp in *T*) from=$stamp ;; *) from=${stamp}T0000 ;; esac
  first=$(printf '%s\\n%s\\n' "$from" "$now" | sort | head -n 1)
  if [ "$first" = "$from" ]; then due=$stamp; fi
done
mark=
if [ -n "$due" ]; then mark=$(cksum "config-$due.yaml"); fi
if [ -z "$name" ] && [ -n "$due" ] && [ -f config.yaml ] && [ -f .switched ]; then
  if [ "$(sed -n 2p .switched)" = "$mark" ]; then exit 0; fi
  placed=$(sed -n 1p .switched)
  case $placed in without-*)
    if cmp -s "config-$placed.yaml" config.yaml; then
      echo "switch.sh: config-$due.yaml is due, but config-$placed.yaml was put in place by hand:" \\
        "./switch.sh $due takes its place; better advise again" >&2
      exit 2
    fi ;;
  esac
fi
if [ -z "$name" ]; then
  name=$due
  if [ -n "$name" ] && cmp -s "config-$name.yaml" config.yaml; then
    printf '%s\\n%s\\n' "$name" "$mark" > .switched
    exit 0
  fi
fi
if [ -z "$name" ] || [ ! -f "config-$name.yaml" ]; then
  echo "switch.sh: no configuration ${name:-is due yet}; there are:" config-*.yaml >&2
  exit 2
fi
cp "config-$name.yaml" .config.yaml.part
if [ -f config.yaml ]; then cp config.yaml .config.yaml.before; else rm -f .config.yaml.before; fi
mv .config.yaml.part config.yaml
echo "config.yaml is now config-$name.yaml"
if [ -z "${GATEWAY_RELOAD:-}" ]; then
  echo "now restart the proxy (or set GATEWAY_RELOAD to the command that does)"
elif ! sh -c "$GATEWAY_RELOAD"; then
  if [ -f .config.yaml.before ]; then mv .config.yaml.before config.yaml; else rm -f config.yaml; fi
  echo "switch.sh: the reload failed; the configuration before is back in place" >&2
  exit 1
fi
rm -f .config.yaml.before
printf '%s\\n%s\\n' "$name" "$mark" > .switched
"""


def usable(folder: Path, others: Iterable[Path | None] = ()) -> None:
    """See, before long work, that the hand-off can be written to `folder`; `others` are written before it.

    Raises:
        ConfigurationError: it is a file, holds something else or will, or its parent is missing.
    """
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError("is a file, not a folder", where=str(folder), remedy="name a folder")
    if folder.is_dir() and any(folder.iterdir()) and _ours(folder) is None:
        raise ConfigurationError(
            "the folder is not empty, and not one that --gateway made",
            where=str(folder),
            remedy="name a new folder",
        )
    for other in others:
        if other is not None and other.resolve().parent == folder.resolve() and _ours(folder) is None:
            raise ConfigurationError("would lie in the new folder of --gateway", where=str(other),
                                     remedy="name a place outside of it")  # fmt: skip
    if not folder.resolve().parent.is_dir():
        raise ConfigurationError("the folder does not exist", where=str(folder.resolve().parent),
                                 remedy="make it first")  # fmt: skip


def write(
    folder: Path,
    hand_off: HandOff,
    entries: Sequence[Entry],
    predictions: Mapping[str, Prediction],
    data: Mapping[str, Any],
) -> list[str]:
    """Write the hand-off to `folder`; returns the names of its files.

    Raises:
        ConfigurationError: the folder is foreign, or cannot be written.
    """
    usable(folder)
    files = _files(hand_off, entries, predictions, data)
    target = folder.resolve()
    made: Path | None = None
    try:
        made = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part"))
        made.chmod(0o755)
        for name, text in files.items():
            (made / name).write_text(text, encoding="utf-8", newline="")
        (made / "switch.sh").chmod(0o755)
        if target.is_dir():
            _keep(target, made)
            before = made.with_suffix(".before")
            target.rename(before)
            try:
                made.rename(target)
            except OSError:
                before.rename(target)
                raise
            shutil.rmtree(before)
        else:
            made.rename(target)
    except OSError as error:
        raise ConfigurationError(
            f"cannot be written: {error.strerror}",
            where=str(folder),
            remedy="name a folder in a place that may be written to",
        ) from None
    finally:
        if made is not None:
            with contextlib.suppress(OSError):
                shutil.rmtree(made)
    return sorted(files)


def _ours(folder: Path) -> list[str] | None:
    """The files we wrote into `folder`; None if it is not ours."""
    try:
        found = json.loads((folder / MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(found, dict) or found.get("made_by") != MADE_BY:
        return None
    return [name for name in found.get("files", ()) if isinstance(name, str)]


def _keep(target: Path, made: Path) -> None:
    """Take over what is the team's own."""
    for item in target.iterdir():
        if item.name in (_ours(target) or ()) or (made / item.name).exists():
            continue
        if item.is_dir() and not item.is_symlink():
            shutil.copytree(item, made / item.name, symlinks=True)
        else:
            shutil.copy2(item, made / item.name, follow_symlinks=False)


def _files(
    hand_off: HandOff,
    entries: Sequence[Entry],
    predictions: Mapping[str, Prediction],
    data: Mapping[str, Any],
) -> dict[str, str]:
    every = [*hand_off.periods, *hand_off.spare]
    files = {p.file: configuration(hand_off, p) for p in every}
    files["switch.sh"] = SWITCH
    files["env.template"] = _environment(hand_off)
    files["calendar.ics"] = as_ics(entries, data["made"])
    files["README.md"] = _page(hand_off, entries, predictions, data)
    names = sorted([*files, MARK])
    document = {
        "made_by": MADE_BY, "pricewar": data["pricewar"], "made": data["made"], "command": data["command"],
        "start": hand_off.start.isoformat(), "recommended": hand_off.recommended,
        "periods": [
            {"name": p.name, "file": p.file, "from": p.start.isoformat(), "if": p.when,
             "because": list(p.because), "order": [d.offer for d in p.deployments]}
            for p in every
        ],
        "entries": [e.plain() for e in entries],
        "left_out": [{"offer": o, "why": w} for o, w in hand_off.left_out],
        "files": names,
    }  # fmt: skip
    files[MARK] = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
    return files


def configuration(hand_off: HandOff, period: Period) -> str:
    """A period's configuration as YAML; prices are plain decimals, never 1e-06, which YAML takes for text."""
    since = "if " + period.when if period.when else f"from {period.start:%Y-%m-%d %H:%M} UTC"
    head = [f"# {period.file}: {since}.", f"# Written by `{MADE_BY}`; see README.md."]
    head += [f"# {d.group} {d.order}: {d.offer}: {d.why}." for d in period.deployments]
    text = yaml.dump(hand_off.config(period), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return "\n".join(head) + "\n" + text


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        return super().increase_indent(flow, False)


def _number(dumper: yaml.SafeDumper, value: Fraction) -> yaml.Node:
    if value.denominator == 1:
        return dumper.represent_int(value.numerator)
    return dumper.represent_scalar("tag:yaml.org,2002:float", f"{decimal(value, DIGITS):f}")


_Dumper.add_representer(Fraction, _number)


def _environment(hand_off: HandOff) -> str:
    """Names of the keys, without values."""
    lines = [
        "# Copy to a file of your own, fill in, and keep it out of version control.",
        "LITELLM_MASTER_KEY=",
        "# LiteLLM fetches a price list on every start; every price it needs stands in the configuration.",
        "LITELLM_LOCAL_MODEL_COST_MAP=True",
    ]
    seen: set[str] = set()
    for period in (*hand_off.periods, *hand_off.spare):
        for d in period.deployments:
            new = [v for v in d.provider.variables if v not in seen]
            if new:
                lines += [f"# {d.offer}", *(f"{v}=" for v in new)]
                seen.update(new)
    return "\n".join(lines) + "\n"


def _page(
    hand_off: HandOff,
    entries: Sequence[Entry],
    predictions: Mapping[str, Prediction],
    data: Mapping[str, Any],
) -> str:
    first = hand_off.periods[0]
    out = [
        "# The plan, for a LiteLLM proxy",
        "",
        f"From {_code(data['command'])}, pricewar {data['pricewar']}, {data['made']}: "
        f"{hand_off.months} months from {hand_off.start}, strategy “{hand_off.recommended}”, beginning with "
        f"{data['plan']['begin']}.",
        "",
        "```sh",
        "cp env.template .env                 # fill in the keys",
        f"./switch.sh {first.name}             # config.yaml",
        "set -a; . ./.env; set +a",
        "litellm --config config.yaml",
        "```",
        "",
        f"Clients ask for the model `{PLAN}`"
        + (f", or, as before, for {', '.join(map(_code, hand_off.models))}" if hand_off.models else "")
        + ". The proxy takes no configuration while it runs: every switch is a copy and a restart, which is "
        "what `switch.sh` does. From cron, hourly: "
        '`GATEWAY_RELOAD="systemctl restart litellm" ./switch.sh`; what you put in place by hand stays until '
        "another date is due.",
        "",
        "## Calendar",
        "",
        "| when (UTC) | what | why, and what follows | command |",
        "|---|---|---|---|",
    ]  # fmt: skip
    for e in entries:
        when = "if" if e.when is None else f"{e.when.astimezone(UTC):%Y-%m-%d %H:%M}"
        when += ", daily" if e.every == "day" else ""
        out.append(
            f"| {when} | {_cell(e.title)} | {_cell(e.text)} | {f'`{e.command}`' if e.command else ''} |"
        )
    out += ["", "The same as `calendar.ics` for a calendar and `calendar.json` for programs.", ""]
    for period in (*hand_off.periods, *hand_off.spare):
        out += _period(period, predictions.get(period.name))
    out += ["## What the proxy does not know", "", *_unknown(hand_off)]
    return "\n".join(out) + "\n"


def _period(period: Period, found: Prediction | None) -> list[str]:
    since = f"if {period.when}" if period.when else f"from {period.start:%Y-%m-%d %H:%M} UTC"
    out = [
        f"## `{period.file}`: {since}", "",
        "| asked | offer | USD per 1 M tokens | rpm | tpm | budget | left alone for | why |",
        "|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for d in period.deployments:
        budget = f"{float(d.budget[0]):g} USD in {d.budget[1]}" if d.budget else ""
        out.append(
            f"| {d.group} {d.order} | {d.offer} | {told(d)} | {d.rpm or ''} | {d.tpm or ''} | {budget} | "
            f"{d.cooldown} s | {_cell(d.why)} |"
        )
    out.append("")
    if found is not None and found.requests:
        out += [
            f"The last {found.days:.0f} days of your log ({found.requests:,} requests) on these terms, "
            "tokens as logged:",
            "",
            "| offer | requests served | refused first | the proxy's spend, USD | the vendor's bill, USD |",
            "|---|---|---|---|---|",
        ]
        for s in found.shares:
            out.append(
                f"| {s.deployment.offer} | {s.served:,} ({s.served / found.requests:.1%}) | {s.refused:,} | "
                f"{float(s.spend):,.2f} | {float(s.bill):,.2f} |"
            )
        out += [f"| nobody | {found.lost:,} ({found.lost / found.requests:.1%}) | | | |", ""]
    notes = [f"- {d.offer}: {_cell(note)}." for d in period.deployments for note in d.notes]
    return [*out, *notes, *([""] if notes else [])]


def _unknown(hand_off: HandOff) -> list[str]:
    out = [
        "- Quotas of a day or month: the vendor's 429 ends them, not the proxy. `tpm` is written for the "
        "record; the proxy does not enforce it with this strategy.",
        "- Dates: hence the calendar.",
        "- A vendor that answers 410 for a retired model is asked again with every request (404 is not): "
        "switch.",
        "- Spend and budgets are counted in the proxy's memory, and begin anew with each restart.",
        f"- What the group `{PLAN}` refuses goes to `{REST}`; what that refuses is refused to the client.",
    ]
    out += [f"- Left out: {offer}: {why}." for offer, why in hand_off.left_out]
    return out


def _code(text: str) -> str:
    """A name or command from outside as a span of code that it cannot leave."""
    clean = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    fence = "`" * (max((len(run) for run in re.findall("`+", clean)), default=0) + 1)
    return f"{fence} {clean} {fence}" if "`" in clean else f"{fence}{clean}{fence}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
