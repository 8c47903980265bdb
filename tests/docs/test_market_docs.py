"""The market's page and its notation: names exist, none is missing, code runs, formulas are the kernel's."""

import re
from dataclasses import fields as members
from pathlib import Path

import numpy as np
import pytest

from pricewar.market import fields, kernel, model, step

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "market.md").read_text(encoding="utf-8")
NOTATION = (ROOT / "NOTATION.md").read_text(encoding="utf-8")
PARAMETERS = {name for table in fields.TABLES.values() for name in table}
COLUMNS = PARAMETERS | set(kernel.STATE_FIELDS) | set(kernel.WORLD_FIELDS)


def table(title: str) -> list[list[str]]:
    """The rows of the first table under a heading, cell by cell."""
    part = re.split(r"\n#+ ", NOTATION.partition(f"# {title}\n")[2])[0]
    return [re.findall(r"[^|]+", line) for line in part.splitlines() if re.match(r"\|(?!---)", line)][1:]


def codes(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_every_symbol_has_a_place_in_the_code():
    rows = table("The market")
    assert len(rows) > 30
    homes = {"Market": model.Market, "Run": model.Run, "State": step.State}
    for row in rows:
        for name in codes(row[1]):
            owner, _, field = name.rpartition(".")
            known = COLUMNS if not owner else {f.name for f in members(homes[owner])}
            assert field in known, name


@pytest.mark.parametrize(
    ("title", "series"),
    [
        ("Series of a vendor", kernel.VENDOR_SERIES),
        ("Series of a type", kernel.TYPE_SERIES),
        ("Series of the market", kernel.WORLD_SERIES),
    ],
)
def test_every_series_has_a_row_with_its_unit(title, series):
    rows = table(title)
    assert sorted(name for row in rows for name in codes(row[0])) == sorted(series)
    assert all(len(row) == 3 and row[1].strip() and row[2].strip() for row in rows)


def test_units_of_parameters_are_the_units_of_the_fields():
    told = {"type": fields.TYPE, "market": fields.MARKET, "vendor": fields.VENDOR}
    checked = 0
    for row in table("The market"):
        owner = told.get(row[2].strip())
        for name in codes(row[1]):
            if owner and name in owner and name != "contract":
                assert owner[name].unit == row[3].strip(), name
                checked += 1
    assert checked >= 20


def test_the_page_names_what_exists():
    words = set(re.findall(r"`([a-z_]+)`", PAGE))
    known = COLUMNS | {
        *kernel.CONDUCTS,
        "per_month",
        "individuals",
        "textbook",
        "conduct",
        "come",
        "write_off",
    }
    assert words <= known, words - known


def test_every_mechanism_has_a_switch_that_the_fields_allow():
    part = PAGE.partition("## Mechanisms")[2].partition("\n## ")[0]
    rows = [line.split("|")[1:4] for line in part.splitlines() if re.match(r"\|(?!---)", line)][1:]
    assert len(rows) >= 25
    for mechanism, off, _ in rows:
        for name, value in re.findall(r"`([a-z_]+)`(?:[^`]*?(\d))?", off):
            found = [t[name] for t in fields.TABLES.values() if name in t]
            assert any(f.low <= float(value or 0) <= f.high for f in found), (mechanism, name)


def test_sources_in_the_text_are_in_the_list():
    text, _, listed = PAGE.partition("## References")
    cited = set(
        re.findall(
            r"([A-ZÉ][a-zé-]+)(?:,? (?:and|et al\.) ?[A-Za-zé-]*| \S+ and \S+)? ((?:19|20)\d\d)\b", text
        )
    )
    plain = re.sub(r"\s+", " ", listed)
    for name, year in cited:
        assert any(name in entry and year in entry for entry in plain.split(" · ")), (name, year)


def test_the_code_on_the_page_runs(capsys):
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(block, "docs/market.md", "exec"), {})
        assert capsys.readouterr().out


@pytest.mark.parametrize("price", [0.3, 2.0, 40.0])
@pytest.mark.parametrize("rho", [0.0, 0.05, 0.4, 0.9, 2.0])
def test_use_and_utility_come_from_the_direct_utility(price, rho):
    """The page's direct utility, θB ln x − h x up to N, best on a grid: the kernel's use, utility, bill."""
    spends, h = 300.0, 1.5
    n = spends / h
    free = rho * n
    x = np.unique(np.concatenate((np.linspace(n * 1e-4, n, 400_001), [min(free, n) or n])))
    worth = spends * np.log(x / n) - h * (x - n) - price * np.maximum(x - free, 0.0)
    best = int(np.argmax(worth))
    s, w = np.zeros((1, len(kernel.STATE_FIELDS))), np.ones(len(kernel.WORLD_FIELDS))
    t, v = np.zeros((1, len(kernel.TYPE_FIELDS))), np.zeros((1, len(kernel.VENDOR_FIELDS)))
    s[0, kernel.STATUS], s[0, kernel.PRICE_L], s[0, kernel.ALLOWANCE] = kernel.ACTIVE, price, free
    t[0, kernel.BUDGET], t[0, kernel.LIGHT_SHARE], t[0, kernel.PRICE_TASTE] = spends, 1.0, 1.0
    w[kernel.REF_L] = h
    use, cells = np.zeros(4), kernel._room(v, t, np.zeros((1, 1)), np.zeros((1, 1)))
    kernel._budgets(t, np.ones(1), cells)
    kernel._choose_by(v, s, w, 0, cells)
    weights = kernel._spell(cells, kernel.R_X, 1, 1)
    kernel._use(t, s, w, np.ones(1), 0, 0, 0, free, use)
    assert np.log(weights[0, 0, 0]) == pytest.approx(worth[best] / spends, abs=1e-6)
    assert use[1] == pytest.approx(x[best], abs=2e-5 * n)
    assert use[0] == pytest.approx(price * max(x[best] - free, 0.0), abs=price * 2e-5 * n)
    assert use[3] == pytest.approx(min(x[best], free), abs=2e-5 * n)
