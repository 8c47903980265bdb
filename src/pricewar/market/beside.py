"""A war as the model plays it, beside the same war in the record: what `pricewar war` tells.

`beside` puts a run's outcomes (`outcomes.Outcomes`) next to a record (`records.War`) and returns plain data.
History's list prices are those that the record uses, blended as the definition blends input and output where
both are known; a vendor's follow is what the record's events of kind `order` say. A **line** is one figure of
history with the model's 80% range; where history lies outside it, the model misses, and that is said. Nothing
of the record enters the model: definitions hold facts older than the war.

Days and months count from the opening, the model's in each future and history's, so that the war and not the
peace before it is compared; futures without one are left out and told (`opened`). Paths end where fewer than
half of the futures still run. History's opener has no lag; a vendor that the record does not know is left
without history, which is neither hit nor miss.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from pricewar.market.outcomes import DAYS, TIERS, Outcomes, Spread, kendall, spread
from pricewar.market.recorded import Recorded
from pricewar.market.records import War
from pricewar.market.stages import STAGES

WINDOWS = (3, 6)
"""Months after the opening within which the depth of cuts is read."""


def beside(o: Outcomes, war: War, names: Mapping[str, str], output_share: float) -> dict[str, Any]:
    """The model's war and the record's.

    Args:
        names: the record's name of each of the market's vendors, for those it knows.
        output_share: weight of the output price in a blended price.

    Returns:
        Plain data; spreads are {median, low, high, low50, high50}, unknown is NaN.
    """
    made = _Beside(o, war, names, output_share)
    return made.document()


class _Beside(Recorded):
    def __init__(self, o: Outcomes, war: War, names: Mapping[str, str], output_share: float) -> None:
        super().__init__(o.market, war, names, output_share)
        self.o = o
        self.inside: list[int] = np.flatnonzero(o.inside).tolist()
        self.lines: list[dict[str, Any]] = []
        # Whole months before the opening; the first one kept ends half a month to one and a half after it.
        opened = np.isfinite(o.opening)
        self.kept = opened if opened.any() else np.ones(o.N, dtype=bool)
        self.shift = np.where(opened, np.floor(np.nan_to_num(o.opening) / DAYS + 0.5), 0.0).astype(int)
        runs = (o.M - self.shift[self.kept])[:, None] > np.arange(o.M)
        self.shown = max(int((runs.mean(0) >= 0.5).sum()), 1)

    def since(self, values: Any, blank: float = np.nan) -> Any:
        """[n, shown, …] from the opening on, of the futures that have one."""
        rows = []
        for n in np.flatnonzero(self.kept):
            row = np.full((self.shown, *values.shape[2:]), blank, dtype=values.dtype)
            part = values[n, self.shift[n] : self.shift[n] + self.shown]
            row[: len(part)] = part
            rows.append(row)
        return np.stack(rows)

    def path_of(self, values: Any) -> dict[str, list[float]]:
        """Median and bands by month from the opening of [N, M]."""
        return _series(self.since(np.asarray(values, dtype=float)))

    def begins(self, months: Any) -> Any:
        """Month indices [N], counted from the opening."""
        return (months - self.shift)[self.kept]

    # ------------------------------------------------------------------ the document

    def line(self, key: str, history: float, model: Any, unit: str, vendor: str = "", **more: Any) -> None:
        """A figure of history beside the model's."""
        if not isinstance(model, dict):
            model = _spread(spread(model))
        if not (math.isfinite(history) and math.isfinite(model["median"])):
            return
        slack = 1e-9 + 1e-6 * abs(history)
        hit = model["low"] - slack <= history <= model["high"] + slack
        self.lines.append({"key": key, "vendor": vendor, "history": history, "unit": unit, "hit": hit,
                           **model, **more})  # fmt: skip

    def document(self) -> dict[str, Any]:
        o, m = self.o, self.o.market
        followed = self.followed()
        first = min(followed, key=lambda v: followed[v], default="")
        opener = next((v for v in self.vendors if self.names.get(v) == first), None)
        said: dict[str, Any] = {
            "market": m.name,
            "currency": m.currency,
            "start": m.start.isoformat(),
            "months": self.shown,
            "horizon": o.M,
            "futures": o.N,
            "vendors": [
                {"id": m.vendors[j], "name": self.names.get(m.vendors[j], m.vendors[j])} for j in self.inside
            ],
            "opened": self.opened(opener),
            "followed": self.follows(followed, opener),
            "prices": [self.prices(j, tier) for tier in TIERS for j in self.inside],
            "depth": [self.depth(j, tier) for tier in TIERS for j in self.inside],
            "allowances": [self.allowance(j) for j in self.inside],
            "cash": [self.cash(j) for j in self.inside],
            "shares": [self.shares(j) for j in self.inside],
            "stages": self.ribbons(),
            "margins": {
                "light": self.path_of(o.price_over_cost("light", paid=True)),
                "flagship": self.path_of(o.price_over_cost("flagship")),
                "cover": self.path_of(o.revenue_over_cost),
            },
            "summary": {name: _spread(s) for name, s in o.summary().items()},
            "winners": [
                {"segment": s, "vendor": m.vendors[w] if w >= 0 else None, "chance": chance}
                for s, (w, chance, _) in zip(m.segments, o.winners, strict=True)
            ],
            "nobody_left": float(o.all_dead.mean()),
        }
        self.exits()
        self.volumes()
        said["lines"] = self.lines
        said["misses"] = [line for line in self.lines if not line["hit"]]
        return said

    def opened(self, opener: str | None) -> dict[str, Any]:
        """Who opened: chances by vendor beside one in so many, and when."""
        o, J = self.o, len(self.inside)
        opens = np.array([(o.opener == j).mean() for j in self.inside])
        order = np.argsort(-opens, kind="stable")
        if opener is not None:
            mine = float((o.opener == self.vendors.index(opener)).mean())
            likeliest = self.vendors[self.inside[order[0]]]
            self.lines.append({
                "key": "opener", "vendor": self._name(opener), "history": 1.0, "unit": "chance",
                "median": mine, "low": math.nan, "high": math.nan, "hit": likeliest == opener and mine > 0,
                "chance": 1.0 / J, "likeliest": self._name(likeliest),
                "likeliest_chance": float(opens[order[0]]),
            })  # fmt: skip
        return {
            "chance": 1.0 / J,
            "by_vendor": [
                {
                    "vendor": self._name(self.vendors[self.inside[n]]),
                    "chance": float(opens[n]),
                    "history": self.vendors[self.inside[n]] == opener,
                }
                for n in order
            ],
            "ever": float((o.opener >= 0).mean()),
            "day": _spread(spread(o.opening)),
        }

    def follows(self, followed: Mapping[str, int], opener: str | None) -> dict[str, Any]:
        """Followers: how often, how late, in which order, beside history."""
        o = self.o
        began = min(followed.values(), default=0)
        order = np.full(len(self.vendors), np.nan)
        rows = []
        for j in self.inside:
            vendor = self.vendors[j]
            name = self.names.get(vendor, "")
            late = followed[name] - began if name in followed and vendor != opener else math.nan
            if name in followed:
                order[j] = followed[name]
            lag = _spread(spread(o.lag[:, j]))
            others = (o.opener >= 0) & (o.opener != j)
            share = float(np.isfinite(o.lag[others, j]).mean()) if others.any() else math.nan
            rows.append({"vendor": self._name(vendor), "chance": share, "history": late, **lag})
            self.line("lag", late, lag, "days", self._name(vendor))
        every = o.lag[:, self.inside]
        last = np.fmax.reduce(every, axis=1)
        told = [r["history"] for r in rows if math.isfinite(r["history"])]
        if told:
            self.line("last", max(told), last, "days")
            self.line("followers", float(len(told)), o.values["followers"], "vendors")
        tau = kendall(o.order, order)
        return {
            "by_vendor": sorted(rows, key=lambda r: _last(r["history"])),
            "lag": _spread(spread(every[np.isfinite(every)])) if np.isfinite(every).any() else None,
            "last": _spread(spread(last)),
            "history_lag": float(np.median(told)) if told else math.nan,
            "history_last": max(told, default=math.nan),
            "tau": _mean(tau),
        }

    def prices(self, j: int, tier: str) -> dict[str, Any]:
        """The list price month by month, and history's steps."""
        vendor = self.vendors[j]
        return {
            "vendor": self._name(vendor),
            "tier": tier,
            **self.path_of(self.o.price(tier)[:, :, j]),
            "peace": _spread(spread(self.peace(tier)[:, j])),
            "history": self.path(self.names.get(vendor), tier),
        }

    def peace(self, tier: str) -> Any:
        """[N, J] list prices of month 0."""
        from pricewar.market import kernel as k

        return self.o.members[1][:, :, k.V_PRICE_LIGHT if tier == "light" else k.V_PRICE_FLAGSHIP]

    def depth(self, j: int, tier: str) -> dict[str, Any]:
        """Falls of the list price: 1 − lowest price over the price in peace."""
        vendor = self.vendors[j]
        name = self.names.get(vendor)
        row: dict[str, Any] = {"vendor": self._name(vendor), "tier": tier}
        for months in WINDOWS:
            model = _spread(spread(1.0 - self.o.depth(tier, months)[:, j]))
            history = 1.0 - self.fell(name, tier, months) if name in self.war.vendors else math.nan
            row[f"model_{months}"], row[f"history_{months}"] = model, history
            if months == WINDOWS[0]:
                self.line(f"fall_{tier}", history, model, "share", self._name(vendor), months=months)
        return row

    def allowance(self, j: int) -> dict[str, Any]:
        """Free light use: how often any, and the free part of light tokens by month."""
        v = self.o.run.vendor
        given = v["allowance"][:, :, j]
        listed_free = (v["price_light"][:, :, j] <= 0) & self.o.active[:, :, j]
        with np.errstate(invalid="ignore", divide="ignore"):
            use = v["tokens_light"][:, :, j]
            part = np.where(listed_free, 1.0, np.where(use > 0, v["free_tokens"][:, :, j] / use, np.nan))
        ends = (given[:, -1] < 0.5 * given.max(1)) & (given.max(1) > 0)
        return {
            "vendor": self._name(self.vendors[j]),
            "ever": float(((given > 0) | listed_free).any(1).mean()),
            "withdrawn": float(ends[given.max(1) > 0].mean()) if (given.max(1) > 0).any() else math.nan,
            "largest": _spread(spread(np.where(given.max(1) > 0, given.max(1), np.nan))),
            **self.path_of(part),
        }

    def cash(self, j: int) -> dict[str, Any]:
        """Cash and reserve by month; how often and when it leaves."""
        v = self.o.run.vendor
        gone = self.o.exit_month[:, j]
        return {
            "vendor": self._name(self.vendors[j]),
            **self.path_of(
                np.where(self.o.active[:, :, j], v["cash"][:, :, j] + v["reserve"][:, :, j], np.nan)
            ),
            "leaves": float(np.isfinite(gone).mean()),
            "when": _spread(spread(gone)),
        }

    def shares(self, j: int) -> dict[str, Any]:
        """Share of tokens by month, at the end of every future (`end`), and what the record has."""
        vendor = self.vendors[j]
        every = self.o.share()[:, :, j]
        share = self.since(every)
        known = []
        for fact in self.war.facts:
            if fact.what == "share" and fact.vendor == self.names.get(vendor) and fact.on:
                at = self.month(fact.on)
                if 0 <= at < self.shown:
                    known.append({"month": at, "share": (fact.low + fact.high) / 2})
                    self.line("share", known[-1]["share"], share[:, at], "share", self._name(vendor),
                              on=fact.on)  # fmt: skip
        end = _spread(spread(every[:, -1]))  # of all futures: paths from the opening end with part of them
        return {"vendor": self._name(vendor), **_series(share), "end": end, "history": known}

    def exits(self) -> None:
        """How many of the record's vendors left by its end."""
        months = (self.end() - self.start).days / DAYS
        known = [j for j in self.inside if self.names.get(self.vendors[j]) in self.war.vendors]
        left = {v for e in self.war.events if e.kind == "exit" for v in e.vendors}
        gone = (self.o.exit_month[:, known] - self.shift[:, None])[self.kept] <= months
        self.line("exits", float(len(left)), gone.sum(1), "vendors")

    def volumes(self) -> None:
        """Growth of a vendor's tokens between readings of the record; the first is the base."""
        for j in self.inside:
            told = sorted(
                (self.month(f.on), f.on, (f.low + f.high) / 2)
                for f in self.war.facts
                if f.what == "volume" and f.vendor == self.names.get(self.vendors[j]) and f.on
            )
            told = [x for x in told if 0 <= x[0] < self.shown]
            tokens = self.since(self.o.tokens[:, :, j])
            for at, on, value in told[1:]:
                base = tokens[:, told[0][0]]
                with np.errstate(divide="ignore", invalid="ignore"):
                    grown = np.where(base > 0, tokens[:, at] / base, np.nan)
                self.line("growth", value / told[0][2], grown, "times", self._name(self.vendors[j]), on=on)

    def ribbons(self) -> dict[str, Any]:
        """The stages, likeliest by month with their chance, and history's by the same rule."""
        o = self.o
        told = self.dated
        offset = self.month(str(told.months[0]))

        def likeliest(codes: Any) -> list[dict[str, Any]]:
            told = np.maximum((codes != -1).sum(0), 1)
            chance = np.stack([(codes == c).sum(0) / told for c in (*range(len(STAGES)), -2)])
            best = chance.argmax(0)
            return [
                {"stage": STAGES[b] if b < len(STAGES) else "out", "chance": float(chance[b, t])}
                for t, b in enumerate(best)
            ]

        def history(codes: Any) -> list[str | None]:
            row: list[str | None] = [None] * self.shown
            for t, code in enumerate(codes):
                if 0 <= t + offset < self.shown:
                    row[t + offset] = STAGES[code] if code >= 0 else ("out" if code == -2 else None)
            return row

        rows = []
        for j in self.inside:
            name = self.names.get(self.vendors[j], "")
            own = history(told.vendor[:, told.vendors.index(name)]) if name in told.vendors else []
            model = likeliest(self.since(o.vendor_stage[:, :, j], -1))
            rows.append({"vendor": self._name(self.vendors[j]), "model": model, "history": own})
        begins: dict[str, Any] = {}
        for stage in ("war", "consolidation", "harvest"):
            mine = self.begins(o.begins(stage))
            seen = [self.month(b) for b in told.begins(stage) if self.month(b) >= 0]
            begins[stage] = {
                "chance": float(np.isfinite(mine).mean()),
                **_spread(spread(mine)),
                "history": float(seen[0]) if seen else math.nan,
                "history_until": float(self.month(str(told.months[-1]))),
            }
            if seen:
                self.line(f"begins_{stage}", float(seen[0]), mine, "month")
        until = int(begins["harvest"]["history_until"])
        own_harvest = [
            self.month(b) for n in told.vendors for b in told.begins("harvest", n) if self.month(b) >= 0
        ]
        if not math.isfinite(begins["harvest"]["history"]):
            # The record sees no harvest of the market until its end: the model should not either.
            early = self.begins(o.begins("harvest")) <= until
            self.lines.append({
                "key": "no_harvest", "vendor": "", "history": 0.0, "unit": "chance",
                "median": float(early.mean()), "low": math.nan, "high": math.nan,
                "hit": bool(early.mean() < 0.5), "months": float(until),
            })  # fmt: skip
        if own_harvest:
            codes = o.vendor_stage[:, :, self.inside] == STAGES.index("harvest")
            first = np.where(codes.any((1, 2)), codes.any(2).argmax(1).astype(float), np.nan)
            first = self.begins(first)
            begins["first_vendor"] = {**_spread(spread(first)), "history": float(min(own_harvest))}
            self.line("first_harvest", float(min(own_harvest)), first, "month")
        return {
            "market": likeliest(self.since(o.stage, -1)),
            "history": history(told.market),
            "vendors": rows,
            "begins": begins,
        }

    def _name(self, vendor: str) -> str:
        return self.names.get(vendor, vendor)


def _last(value: float) -> float:
    return value if math.isfinite(value) else -1.0


def _mean(values: Any) -> dict[str, float]:
    """Mean over members and its standard error."""
    known = values[np.isfinite(values)]
    if len(known) < 2:
        return {"mean": math.nan, "error": math.nan}
    return {"mean": float(known.mean()), "error": float(known.std(ddof=1) / math.sqrt(len(known)))}


def _spread(s: Spread) -> dict[str, float]:
    return {name: float(getattr(s, name)) for name in ("median", "low", "high", "low50", "high50")}


def _series(values: Any) -> dict[str, list[float]]:
    """Median and bands by month of [N, M]."""
    s = spread(values)
    return {name: getattr(s, name).tolist() for name in ("median", "low", "high", "low50", "high50")}
