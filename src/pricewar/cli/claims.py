"""`pricewar claims`: the twenty claims, one by one, over many futures."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pricewar.cli.options import Progress, outputs
from pricewar.study.task import declares

if TYPE_CHECKING:
    from pricewar.market.claims import Finding, Futures
    from pricewar.market.model import Market
    from pricewar.study.design import Layout

DEFAULT = "china-2024"
RECORDS = {DEFAULT: "china-llm-2024"}
"""Markets whose war is on record, for the order of followers."""
SOLVER_FUTURES, SWEEPS = 16, 10
"""Over how many futures conduct is solved for under a rule, and in how many rounds of best replies."""


@click.command(name="claims")
@click.option(
    "--seeds", default=100, show_default=True, type=click.IntRange(2), help="Futures of each market."
)
@click.option("--only", metavar="N,N", help="Claims to test, such as 5,7; all when left out.")
@click.option("--market", default=DEFAULT, show_default=True, help="Bundled market, or a definition's path.")
@click.option(
    "--write", type=click.Path(dir_okay=False, path_type=Path), help="Write the document here (Markdown)."
)
@click.option(
    "--store",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep finished futures here; run again to go on after an interruption.",
)
@click.option("--list", "listed", is_flag=True, help="List the claims and what each runs.")
@click.option("--quiet", is_flag=True, help="No progress.")
def claims(
    seeds: int,
    only: str | None,
    market: str,
    write: Path | None,
    store: Path | None,
    listed: bool,
    quiet: bool,
) -> None:
    """Test the twenty claims about price wars: which emerge, in part, or not, and against which ablations.

    Every future is run as it is and with one mechanism taken away or one rule put in, with the same luck.
    """
    from pricewar.files import write_text
    from pricewar.market import claims as room

    selected = room.chosen(_numbers(only))
    if listed:
        for claim in selected:
            click.echo(f"{claim.number:3}  {claim.title:<14} {len(claim.variants)} variants")
        return
    outputs({"--write": write}, [("a market that is read", Path(market))])
    progress = Progress(quiet)
    futures, head = gather(market, seeds, selected, store, progress)
    findings = [claim.test(futures) for claim in selected]
    click.echo(table(findings))
    if write:
        write_text(write, room.page(findings, head))
        progress.say(f"written: {write}")


def _numbers(text: str | None) -> list[int] | None:
    if text is None:
        return None
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise click.BadParameter(f"“{text}” is not numbers such as 5,7", param_hint="--only") from None


def table(findings: list[Finding]) -> str:
    """Verdicts, a line each."""
    width = max(len(f.title) for f in findings)
    lines = []
    for f in findings:
        held = sum(c.holds for c in f.checks)
        lines.append(f"{f.number:3}  {f.title:<{width}}  {f.verdict:<8}  {held} of {len(f.checks)} criteria")
    return "\n".join(lines)


def gather(
    market: str, seeds: int, selected: Any, store: Path | None, progress: Progress
) -> tuple[Futures, list[str]]:
    """Run, or take from the store, all futures that the claims need; and the document's head."""
    from pricewar.market import claims as room
    from pricewar.market import claims_runs
    from pricewar.study.ensemble import Study
    from pricewar.study.pool import Processes, cores

    plain = _market(market, "plain")
    wanted = room.needed(selected)
    for family, variants in wanted.items():
        for variant in variants.values():
            claims_runs.bent(
                _market(market, family), variant.bends
            )  # a name it lacks is told before the work
    version = _version(plain)
    folder = store / version[:12] if store else None
    progress.say("compiling the market (first run only)…")
    claims_runs.future(claims_runs.bent(plain, [("peace", "=", 0.0)]), 0)

    rules = sorted({v.solved for each in wanted.values() for v in each.values() if v.solved})
    constants: dict[str, Any] = {"market": market}
    with Processes(cores()) as pool:

        def run(worker: Any, name: str, policies: Mapping[str, Any], members: int, more: Any) -> Any:
            study = Study(worker, policies, members=members, constants=constants | more, version=version)
            progress.say(f"{name}: {len(policies)} × {members}")
            where = folder / f"{name.replace(' ', '-')}-{members}" if folder else None
            return study.run(where, pool, progress.share(name))

        opened = run(future, "openings", {"as it is": room.Variant("as it is", free=True).plain()}, seeds,
                     {"family": "plain", "openings": []})  # fmt: skip
        openings = [
            [int(j), float(m) if m == m else 0.0]
            for j, m in zip(opened.outcomes["opener"][0], opened.outcomes["opening"][0], strict=True)
        ]
        solved: dict[str, tuple[Any, float]] = {}
        if rules:
            asked = {rule: [list(b) for b in room.SETTINGS[rule]] for rule in ("none", *rules)}
            found = run(conduct, "conduct", {r: {"bends": b} for r, b in asked.items()}, 1,
                        {"seeds": SOLVER_FUTURES, "sweeps": SWEEPS})  # fmt: skip
            for n, rule in enumerate(asked):
                solved[rule] = (
                    found.outcomes["choices"][n, 0].tolist(), float(found.outcomes["exploitability"][n, 0])
                )  # fmt: skip
        kept: dict[str, dict[str, dict[str, Any]]] = {}
        runs = seeds
        for family, variants in wanted.items():
            policies = {
                name: v.plain() | {"choices": solved[v.solved][0] if v.solved else None}
                for name, v in variants.items()
            }
            done = run(future, f"futures of the market {family}", policies, seeds,
                       {"family": family, "openings": openings})  # fmt: skip
            runs += seeds * len(policies)
            kept[family] = {
                policy: {name: array[n] for name, array in done.outcomes.items()}
                for n, policy in enumerate(done.policies)
                if policy in variants
            }
    progress.done()
    families = {name: _market(market, name) for name in wanted}
    futures = room.Futures(plain, families, kept, solved, _history(market))
    head = [
        f"Made by `{made_by(market, seeds, selected)}` on the market {plain.name}: {plain.months} months, "
        f"{seeds} futures a variant, {runs:,} in all. Each future draws the definition's uncertain numbers "
        "and its own luck; a variant changes one thing in the same futures, and unless it says otherwise the "
        "war is opened by whom and when it was without the change.",
        "",
        "The criteria with their thresholds stand in the program (`pricewar.market.claims_*`) and were "
        "written before the figures were seen. A claim **emerges** when all its criteria are met, **partly** "
        "when at least half are, else it **does not**. Differences are paired, with 95% intervals; *clearly* "
        "means that the interval leaves out zero. Shares of futures come with Wilson's interval. Money in "
        f"{plain.currency}; bn and mn are thousand millions and millions. “As the claim has it” says whether "
        "an ablation's clear sign is the claim's.",
        "",
        "No threshold was moved afterwards. A first look at six futures changed four measures: the "
        "horizon (48 "
        "months instead of 36), shares a year after the opening instead of in month 12, ablations "
        "without training "
        "in which prices may rise without a successor, and the newcomer's larger stock of data. Conduct "
        "under a rule was first solved for by 4 rounds over 4 futures; deviations then gained a tenth of all "
        "profits, too much to judge by, and rounds and futures were raised.",
        "",
        f"Where conduct is solved for, it is by {SWEEPS} rounds of best replies over {SOLVER_FUTURES} "
        "futures. Model "
        f"and market are those of the digest {version[:12]}.",
    ]
    return futures, head


def made_by(market: str, seeds: int, selected: Any) -> str:
    """The command that makes this document again."""
    from pricewar.market import claims as room

    words = ["pricewar", "claims", "--seeds", str(seeds)]
    if len(selected) < len(room.chosen(None)):
        words += ["--only", ",".join(str(claim.number) for claim in selected)]
    if market != DEFAULT:
        words += ["--market", Path(market).name]
    return shlex.join(words)


@lru_cache(maxsize=8)
def _market(name: str, family: str) -> Market:
    from pricewar.market import claims_runs, definition

    market = replace(definition.market(name), months=claims_runs.MONTHS)
    return claims_runs.family(market, family)


def _version(market: Market) -> str:
    """Of what the futures depend on: the market's numbers, and the modules that run and measure it."""
    from pricewar.market import (
        claims_measures,
        claims_runs,
        conduct,
        fields,
        kernel,
        lanes,
        model,
        observables,
        outcomes,
        stages,
        stages_many,
        step,
    )  # fmt: skip

    digest = hashlib.blake2b(digest_size=16)
    used = (
        claims_measures, claims_runs, conduct, fields, kernel, lanes, model, observables, outcomes, stages,
        stages_many, step,
    )  # fmt: skip
    for module in used:
        digest.update(Path(str(module.__file__)).read_bytes())
    for array in (market.g, market.v, market.t, market.chi, market.eco, market.script):
        digest.update(array.tobytes())
    digest.update(repr((market.uncertain, market.vendors, market.types, market.months)).encode())
    return digest.hexdigest()


def _history(market: str) -> dict[str, float]:
    """Vendor → days after the opening in the war's record."""
    if market not in RECORDS:
        return {}
    from pricewar.market.records import read

    days: dict[str, float] = {}
    for event in read(RECORDS[market]).events:
        if event.kind == "order" and event.value is not None and event.vendors:
            for vendor in event.vendors:
                days.setdefault(vendor.lower(), float(event.value))
    return days


# ---------------------------------------------------------------- what each process runs


def _layout(constants: Mapping[str, Any]) -> Layout:
    from pricewar.market import claims_runs
    from pricewar.market.claims_measures import MEASURES
    from pricewar.study.design import Layout, Outcome

    return Layout(
        {name: Outcome(dims, unit, about) for name, (dims, unit, about) in MEASURES.items()},
        claims_runs.coords(_market(constants["market"], constants["family"])),
    )


@declares(_layout)
def future(task: dict[str, Any]) -> dict[str, Any]:
    """One future of a variant."""
    from pricewar.market import claims_runs

    p, member = task["parameters"], task["member"]
    market = _market(p["market"], p["family"])
    openings = {}
    if not p["free"]:
        who, when = p["openings"][member]
        openings = {member: (int(who), float(when))}
    made = claims_runs.bent(
        market,
        [(k, h, x) for k, h, x in p["bends"]],
        openings,
        p.get("choices"),
        chi=market.chi * p["affinity"],
        eco=market.eco * p["ecosystem"],
    )
    return claims_runs.future(made, member)


def _choices(constants: Mapping[str, Any]) -> Layout:
    from pricewar.market.conduct import CHOICES
    from pricewar.study.design import Layout, Outcome

    return Layout(
        {
            "choices": Outcome(("vendor", "choice"), "1", "conduct solved for"),
            "exploitability": Outcome((), "share", "largest gain found, of all vendors' profits"),
        },
        {"vendor": list(_market(constants["market"], "plain").vendors), "choice": list(CHOICES)},
    )


@declares(_choices)
def conduct(task: dict[str, Any]) -> dict[str, Any]:
    """Conduct solved for under one rule."""
    import numpy as np

    from pricewar.market import claims_runs
    from pricewar.market.conduct import solve

    p = task["parameters"]
    market = claims_runs.bent(_market(p["market"], "plain"), [(k, h, x) for k, h, x in p["bends"]])
    found = solve(market, range(p["seeds"]), starts=(None,), sweeps=p["sweeps"], richer=0)
    return {"choices": np.array(found.profile.choices), "exploitability": found.profile.exploitability}
