"""What a study found: labelled outcomes, and the few summaries that every study needs.

Differences between policies are paired: member i has the same draws and seed under both, so that with
D = X_b − X_a the variance of the mean difference is Var(D)/n where independent runs would have
(Var(X_a) + Var(X_b))/n; their ratio is the variance reduction, how many times more members independent runs
would have needed (Law 2015, §11.2). The interval of a mean is Student's over members. It takes members as
independent: exact for `random`; for `latin` and `sobol`, whose points fill the space more evenly, it is
usually too wide, since their error is smaller than it says (Owen 1997, Ann. Stat. 25, 1541).

A value that is not finite is a missing one ("the harvest never began"): it is left out, and counted.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pricewar.errors import ConfigurationError, did_you_mean
from pricewar.study.design import Layout

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl
    import xarray

    Array = npt.NDArray[np.float64]

PROBABILITIES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, eq=False)
class Results:
    """Outcomes of a study.

    Attributes:
        study: what it is, plain data: worker, version, seed, method, members, constants, policies,
            uncertainties, layout.
        layout: what the outcomes are.
        seeds: [member].
        draws: uncertainty → [member].
        outcomes: name → [policy, member, *axes].
    """

    study: dict[str, Any]
    layout: Layout
    seeds: npt.NDArray[np.int64]
    draws: dict[str, npt.NDArray[Any]]
    outcomes: dict[str, npt.NDArray[Any]]

    @property
    def policies(self) -> tuple[str, ...]:
        """Names of the policies, in the order of the first axis; the first is the baseline."""
        return tuple(self.study["policies"])

    @property
    def members(self) -> int:
        """How many members there are."""
        return len(self.seeds)

    @cached_property
    def dataset(self) -> xarray.Dataset:
        """All of it as an xarray Dataset with axes (policy, member, …); draws and seeds lie along member.

        Raises:
            ConfigurationError: xarray is not installed.
        """
        try:
            import xarray
        except ImportError:
            raise ConfigurationError(
                "xarray is not installed",
                remedy="pip install 'pricewar[labelled]'; `table()` and `outcomes` do without",
            ) from None
        coords: dict[str, Any] = {
            "policy": list(self.policies),
            "member": range(self.members),
            "seed": ("member", self.seeds),
        }
        for axis, labels in self.layout.coords.items():
            attributes = {"units": self.layout.units[axis]} if axis in self.layout.units else {}
            coords[axis] = (axis, list(labels), attributes)
        coords |= {name: ("member", values) for name, values in self.draws.items()}
        data = {}
        for name, outcome in self.layout.outcomes.items():
            attributes = {"units": outcome.unit, "long_name": outcome.about or name}
            data[name] = (("policy", "member", *outcome.dims), self.outcomes[name], attributes)
        # Texts and numbers only, so that every file format of xarray takes them.
        about = {k: self.study[k] for k in ("worker", "version", "method", "seed")}
        nested = {k: json.dumps(self.study[k]) for k in ("constants", "policies", "uncertainties")}
        return xarray.Dataset(data, coords=coords, attrs=about | nested)

    def to_zarr(self, folder: str | os.PathLike[str]) -> None:
        """Write the dataset as a new zarr store.

        Raises:
            ConfigurationError: xarray or zarr is not installed, or the folder exists.
        """
        import importlib.util

        if importlib.util.find_spec("zarr") is None:
            raise ConfigurationError("zarr is not installed", remedy="pip install zarr")
        if os.path.lexists(folder):
            raise ConfigurationError("exists already", where=str(folder), remedy="name a new folder")
        self.dataset.to_zarr(folder, mode="w-")

    def table(self) -> pl.DataFrame:
        """A row per policy and member: policy, member, seed, every draw, every outcome that is one number."""
        import numpy as np
        import polars as pl

        count = len(self.policies)
        columns: dict[str, Any] = {
            "policy": np.repeat(np.array(self.policies), self.members),
            "member": np.tile(np.arange(self.members), count),
            "seed": np.tile(self.seeds, count),
        }
        columns |= {name: np.tile(values, count) for name, values in self.draws.items()}
        columns |= {name: self.outcomes[name].reshape(-1) for name in self.layout.scalars}
        return pl.DataFrame(columns)

    def quantiles(
        self, outcome: str, probabilities: Sequence[float] = PROBABILITIES, *, against: str | None = None
    ) -> Array:
        """Quantiles over members: [probability, policy, *axes], NaN where no member has a value.

        Args:
            outcome: its name.
            probabilities: each in [0, 1].
            against: a policy; then quantiles of the paired differences from it.

        Raises:
            ConfigurationError: there is no such outcome or policy, or a probability is none.
        """
        import numpy as np

        if not probabilities or not all(0 <= p <= 1 for p in probabilities):
            raise ConfigurationError(f"{probabilities} are not all in [0, 1]", where="probabilities")
        values = self._finite(outcome)
        if against is not None:
            values = values - values[self._at(against)]
        if np.isfinite(values).all():
            return np.quantile(values, probabilities, axis=1)
        out = np.full((len(probabilities), len(self.policies), *values.shape[2:]), np.nan)
        some = np.asarray(np.isfinite(values).any(axis=1))
        for at in np.ndindex(some.shape):
            if some[at]:
                column = values[(at[0], slice(None), *at[1:])]
                out[(slice(None), *at)] = np.quantile(column[np.isfinite(column)], probabilities)
        return out

    def summary(
        self, outcomes: Sequence[str] | None = None, probabilities: Sequence[float] = PROBABILITIES
    ) -> pl.DataFrame:
        """A row per policy and scalar outcome: how many members have a value, mean, deviation, quantiles.

        Columns: policy, outcome, unit, n, missing, mean, sd, and one per probability, "p05" for 0.05.

        Raises:
            ConfigurationError: as `quantiles`.
        """
        import numpy as np

        rows = []
        for name in self._scalars(outcomes):
            values, quantiles = self._finite(name), self.quantiles(name, probabilities)
            for at, policy in enumerate(self.policies):
                kept = values[at][np.isfinite(values[at])]
                row = {"policy": policy, "outcome": name, "unit": self.layout.outcomes[name].unit}
                row |= {"n": len(kept), "missing": self.members - len(kept)}
                row |= {"mean": _mean(kept), "sd": _sd(kept)}
                row |= {f"p{100 * p:02.4g}": _or_none(quantiles[k, at]) for k, p in enumerate(probabilities)}
                rows.append(row)
        return _frame(rows, ("policy", "outcome", "unit"), ("n", "missing"))

    def compare(
        self, baseline: str | None = None, outcomes: Sequence[str] | None = None, *, level: float = 0.95
    ) -> pl.DataFrame:
        """Paired differences of every other policy from one, a row per policy and scalar outcome.

        Columns: policy, baseline, outcome, unit; n pairs, missing pairs; difference (mean over members), low
        and high of its interval at `level`; p05, p50, p95 of the members' own differences; above, below: the
        shares of members with a difference over and under zero; variance_reduction by common random numbers,
        null where all differences are equal.

        Raises:
            ConfigurationError: there is no such policy or outcome, or the level is none.
        """
        import numpy as np
        from scipy.stats import t as student

        if not 0 < level < 1:
            raise ConfigurationError(f"must lie between 0 and 1, not {level}", where="level")
        base = self._at(baseline) if baseline is not None else 0
        rows = []
        for name in self._scalars(outcomes):
            values = self._finite(name)
            for at, policy in enumerate(self.policies):
                if at == base:
                    continue
                both = np.isfinite(values[at]) & np.isfinite(values[base])
                one, other = values[at][both], values[base][both]
                gap = one - other
                n, mean, sd = len(gap), _mean(gap), _sd(gap)
                row: dict[str, Any] = {"policy": policy, "baseline": self.policies[base], "outcome": name}
                row |= {"unit": self.layout.outcomes[name].unit, "n": n, "missing": self.members - n}
                half = None
                if mean is not None and sd is not None:
                    half = float(student.ppf((1 + level) / 2, n - 1)) * sd / n**0.5
                row |= {"difference": mean, "low": None, "high": None}
                if mean is not None and half is not None:
                    row |= {"low": mean - half, "high": mean + half}
                spread = np.quantile(gap, (0.05, 0.5, 0.95)).tolist() if n else [None] * 3
                row |= dict(zip(("p05", "p50", "p95"), spread, strict=True))
                row |= {"above": _mean(gap > 0), "below": _mean(gap < 0)}
                rounding = 1e-12 * max(np.abs(one).max(initial=0.0), np.abs(other).max(initial=0.0))
                varies = sd is not None and sd > rounding
                row["variance_reduction"] = float((one.var() + other.var()) / gap.var()) if varies else None
                rows.append(row)
        return _frame(rows, ("policy", "baseline", "outcome", "unit"), ("n", "missing"))

    def importance(self, outcomes: Sequence[str] | None = None) -> pl.DataFrame:
        """Which uncertainty matters: rank correlation of each with each scalar outcome, strongest first.

        Columns: policy, outcome, uncertainty; n; strength in [0, 1], the correlation without its sign; rho,
        Spearman's, null for a choice among texts, whose strength is the correlation ratio of the outcome's
        ranks, √(H/(n − 1)) with H of Kruskal and Wallis; p, of a strength this large by chance alone. Among
        many rows some p are small by chance. Monotone effects only: an outcome that rises and falls again
        may show none. An uncertainty that a policy's levers override has no row there; where nothing varies,
        or with fewer than four members, strength is null.

        Raises:
            ConfigurationError: there is no such outcome.
        """
        import numpy as np

        rows = []
        for name in self._scalars(outcomes):
            values = self._finite(name)
            for at, policy in enumerate(self.policies):
                kept = np.isfinite(values[at])
                found = []
                for uncertainty, drawn in self.draws.items():
                    if uncertainty in self.study["policies"][policy]:
                        continue
                    strength, rho, p = _association(drawn[kept], values[at][kept])
                    row = {"policy": policy, "outcome": name, "uncertainty": uncertainty}
                    row |= {"n": int(kept.sum()), "strength": strength, "rho": rho, "p": p}
                    found.append(row)
                rows += sorted(found, key=lambda row: -(row["strength"] or 0.0))
        return _frame(rows, ("policy", "outcome", "uncertainty"), ("n",), ("strength", "rho", "p"))

    def _scalars(self, names: Sequence[str] | None) -> Sequence[str]:
        if names is None:
            return self.layout.scalars
        for name in names:
            if name not in self.layout.scalars:
                raise ConfigurationError(
                    f"“{name}” is no outcome that is a single number",
                    where="outcomes",
                    remedy=did_you_mean(name, self.layout.scalars),
                )
        return names

    def _finite(self, name: str) -> Array:
        import numpy as np

        if name not in self.outcomes:
            raise ConfigurationError(
                f"there is no outcome “{name}”", where="outcome", remedy=did_you_mean(name, self.outcomes)
            )
        values = self.outcomes[name].astype(np.float64)
        values[~np.isfinite(values)] = np.nan
        return values

    def _at(self, policy: str) -> int:
        if policy not in self.policies:
            raise ConfigurationError(
                f"there is no policy “{policy}”", where="policy", remedy=did_you_mean(policy, self.policies)
            )
        return self.policies.index(policy)


def _association(drawn: npt.NDArray[Any], outcome: Array) -> tuple[float | None, float | None, float | None]:
    """Strength, Spearman's ρ where the draws are numbers, and p."""
    from scipy import stats

    n = len(outcome)
    if n < 4 or (drawn == drawn[0]).all() or (outcome == outcome[0]).all():
        return None, None, None
    if drawn.dtype.kind in "US":
        groups = [outcome[drawn == value] for value in sorted(set(drawn.tolist()))]
        h, p = stats.kruskal(*groups)
        return min(1.0, (float(h) / (n - 1)) ** 0.5), None, float(p)
    found: Any = stats.spearmanr(drawn, outcome)
    rho = float(found.statistic)
    return abs(rho), rho, float(found.pvalue)


def _mean(values: npt.NDArray[Any]) -> float | None:
    return float(values.mean()) if len(values) else None


def _sd(values: npt.NDArray[Any]) -> float | None:
    return float(values.std(ddof=1)) if len(values) > 1 else None


def _or_none(value: Any) -> float | None:
    return float(value) if value == value else None


def _frame(
    rows: list[Mapping[str, Any]], texts: Sequence[str], counts: Sequence[str], others: Sequence[str] = ()
) -> pl.DataFrame:
    """Rows as a table whose columns are of the same kind even when there is no row, or only nulls."""
    import polars as pl

    names = list(rows[0]) if rows else [*texts, *counts, *others]
    kinds = {n: pl.String if n in texts else pl.Int64 if n in counts else pl.Float64 for n in names}
    return pl.DataFrame(rows, schema=kinds)
