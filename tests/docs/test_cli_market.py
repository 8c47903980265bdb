"""`pricewar simulate` and `pricewar war`: what they print and write, their exit codes, what they refuse."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pricewar.cli import cli
from pricewar.cli.market import settings
from pricewar.cli.market_tables import fitted, sentence, short
from pricewar.errors import PricewarError
from pricewar.market import definition
from pricewar.market.outcomes import Effect


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, list(words), standalone_mode=False)


SMALL = ("--seeds", "6", "--months", "6", "--set", "peace=0", "-q")


def test_a_market_is_simulated():
    reply = run("simulate", "china-2024", *SMALL)
    assert reply.return_value == 0, reply.output
    for words in (
        "6 futures of 6 months",
        "concentration",
        "vendors at the end",
        "who wins where",
        "are few",
    ):
        assert words in reply.output
    for name in definition.market("china-2024").vendors:
        assert name in reply.output
    assert all(len(line) <= 100 for line in reply.output.splitlines())


def test_against_another_rule_future_by_future():
    reply = run("simulate", "china-2024", *SMALL, "--against", "portability=1")
    assert reply.return_value == 0, reply.output
    assert "what switching costs teams falls 100%" in " ".join(reply.output.split())
    assert "−100%" in reply.output


def test_against_another_market():
    reply = run("simulate", "china-2024", *SMALL, "--against", "global-2025")
    assert reply.return_value == 0, reply.output
    assert "drawn apart" in reply.output


def test_money_of_two_currencies_is_not_compared():
    words = ("--against", "global-2025")
    reply = run("simulate", "china-2024", *SMALL, *words)
    flat = " ".join(reply.output.split())
    for part in (
        "money in CNY (global-2025 in USD)",
        "as it is, CNY global-2025, USD",
        "its change is not told",
        "vendors at the end, CNY",
        "vendors at the end under global-2025, USD",
        "surplus CNY",
    ):
        assert part in flat
    assert all(len(line) <= 100 for line in reply.output.splitlines())
    effects = json.loads(run("simulate", "china-2024", *SMALL, *words, "--json", "-").output)["effects"]
    for e in effects:
        if e["name"] in ("subsidy", "bills", "surplus", "vendors_profit"):
            assert (e["change"], e["sentence"], e["clear"]) == (None, None, False)
    assert next(e for e in effects if e["name"] == "hhi")["change"] is not None


def test_too_few_futures_to_tell_are_said():
    words = ("--seeds", "4", "--months", "6", "--set", "peace=0", "-q", "--against", "portability=1")
    reply = run("simulate", "china-2024", *words)
    flat = " ".join(reply.output.split())
    assert "4 futures are too few to tell: give --seeds 20 or more." in flat
    assert "−100% – too few to tell" in flat
    assert "nothing changes clearly" not in flat
    assert "…" not in flat


def test_json_is_whole_and_has_no_nan():
    words = ("--against", "startup.switching_cost=2", "--json", "-")
    reply = run("simulate", "china-2024", *SMALL, *words)
    data = json.loads(reply.output, parse_constant=pytest.fail)
    assert data["futures"] == 6
    assert data["outcomes"]["hhi"]["unit"] == "HHI"
    assert {e["name"] for e in data["effects"]} == set(data["outcomes"])
    assert len(data["vendors"]) == 8
    assert "95%" in data["ranges"]["effects"]  # another range than the outcomes' 80%, under the same names
    spreads = {key for row in data["vendors"] for key, value in row.items() if isinstance(value, dict)}
    assert spreads <= set(data["units"])


@pytest.mark.skipif(importlib.util.find_spec("xarray") is None, reason="needs the extra `labelled`")
def test_every_series_as_netcdf(tmp_path: Path):
    import xarray

    path = tmp_path / "run.nc"
    reply = run("simulate", "china-2024", *SMALL, "--dataset", str(path))
    assert reply.return_value == 0, reply.output
    with xarray.open_dataset(path, engine="scipy") as data:
        assert data.sizes["member"] == 6
        assert data["vendor_price_light"].dims == ("member", "month", "vendor")
    assert [p.name for p in tmp_path.iterdir()] == ["run.nc"]


def test_levers_are_listed_with_unit_and_bounds():
    reply = run("simulate", "china-2024", "--levers")
    assert reply.return_value == 0
    for words in (
        "portability",
        "rules from outside",
        "GPU-month",
        "before the dot",
        ".switching_cost",
        "CNY",
    ):
        assert words in reply.output


def test_levers_are_listed_without_a_market():
    reply = run("simulate", "--levers")
    assert reply.return_value == 0, reply.output
    for words in ("portability", "rules from outside", "off", "needed", ".switching_cost", "SEGMENT"):
        assert words in reply.output


def test_contracts_without_a_vertical_are_said_to_change_nothing():
    says = "No type of team has a vertical here, so contracts change nothing."
    assert says in run("simulate", "china-2024", *SMALL, "--set", "contract=1").output
    assert says not in run("simulate", "china-2024", *SMALL).output


def test_a_regulator_is_told_that_has_no_rules_or_never_acts():
    words = ("--set", "regulator_auto=1")
    assert "none is: portability, price_floor" in run("simulate", "china-2024", *SMALL, *words).output
    never = ("--set", "portability=.8", "--set", "regulator_hhi=1")
    reply = " ".join(run("simulate", "china-2024", *SMALL, *words, *never).output.split())
    assert "none is" not in reply
    assert "share of months under a regulator 0%" in reply


def test_utility_past_what_is_told_apart_is_said():
    says = "lower types.quality_taste"
    assert says in run("simulate", "china-2024", *SMALL, "--set", "types.quality_taste=9").output
    assert says not in run("simulate", "china-2024", *SMALL, "--set", "types.quality_taste=5").output


def test_against_a_changed_copy_of_the_same_market(tmp_path: Path):
    """The copy has fewer types of team, and is called by its file beside its original's name."""
    copy = tmp_path / "mine.yaml"
    text = (Path(str(definition.__file__)).parent / "markets" / "china-2024.yaml").read_text(encoding="utf-8")
    segment = text[text.index("    government:\n") : text.index("\nvendors:")]
    text = text.replace(segment, "")
    copy.write_text("\n".join(x for x in text.splitlines() if "    government: {" not in x), encoding="utf-8")
    reply = run("simulate", "china-2024", *SMALL, "--against", str(copy))
    assert reply.return_value == 0, reply.exception
    assert "against " + str(copy) in "".join(reply.output.splitlines())


def test_a_title_commands_no_terminal(monkeypatch: pytest.MonkeyPatch):
    load = definition.load

    def titled(name: str) -> definition.Definition:
        found = load(name)
        object.__setattr__(found.text, "title", "red \x1b[31m")
        return found

    monkeypatch.setattr(definition, "load", titled)
    output = run("simulate", "china-2024", *SMALL).output
    assert "\x1b" not in output
    assert "red \N{REPLACEMENT CHARACTER}[31m" in output


def test_textbook_is_the_exact_game():
    reply = run("simulate", "textbook", "--set", "levels=6", "--set", "bottom=3")
    assert reply.return_value == 0, reply.output
    assert "advantage building" in reply.output
    assert "asks the exact game's prices at every state" in reply.output


def test_nobody_left_is_said():
    poor = ("vendors.cash=1", "vendors.reserve=0", "rental=1e7")
    words = [part for item in poor for part in ("--set", item)]
    reply = run("simulate", "china-2024", *SMALL, *words)
    assert reply.return_value == 0, reply.output
    assert "Nobody inside is left at the end in 100% of the futures" in reply.output


def test_the_war_is_told_beside_history(tmp_path: Path):
    page, data = tmp_path / "war.html", tmp_path / "war.json"
    reply = run("war", "--seeds", "3", "-q", "--html", str(page), "--json", str(data), "--lang", "zh")
    assert reply.return_value == 0, reply.output
    for words in (
        "3 futures",
        "who opens, who follows",
        "DeepSeek",
        "history beside the model",
        "stages by the",
    ):
        assert words in reply.output
    assert all(len(line) <= 100 for line in reply.output.splitlines())
    found = json.loads(data.read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert found["futures"] == 3
    assert f"{sum(line['hit'] for line in found['lines'])} of {len(found['lines'])} figures" in reply.output
    text = page.read_text(encoding="utf-8")
    assert '<html lang="zh-CN"' in text


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("china-2042",), "did you mean “china-2024”"),
        (("china-2024", "--set", "portabilty=1"), "did you mean “portability”"),
        (("china-2024", "--set", "deepsek.cash=1"), "did you mean “deepseek”"),
        (("china-2024", "--set", "deepseek.csh=1"), "did you mean “cash”"),
        (("china-2024", "--set", "portability"), "not NAME=VALUE"),
        (("china-2024", "--set", "portability=much"), "not a number"),
        (("china-2024", "--set", "baidu.conduct=stattic"), "did you mean “static”"),
        (("china-2024", "--set", "merge_into=baidoo"), "did you mean “baidu”"),
        (("china-2024", "--set", "portability=inf"), "not finite"),
        (("china-2024", "--set", "portability=2"), "give 0 to 1"),
        (("china-2024", "--against", "portability=2"), "give 0 to 1"),
        (("china-2024", "--against", "global-2052"), "did you mean “global-2025”"),
        (("china-2024", "--against", "global-2025", "--against", "portability=1"), "not both"),
        (("china-2024", "--set", "portability=.1", "--set", "portability=.2"), "given twice"),
        (("china-2024", "--dataset", "-"), "name a file"),
        ((), "no MARKET is named"),
        (("china-2024", "--json", "nowhere/x.json"), "does not exist"),
        (("textbook", "--months", "3"), "leave it out"),
        (("textbook", "--set", "rhoo=1"), "learning-bdks2010: has no parameter “rhoo”"),
        (("textbook", "--set", "rhoo=1"), "did you mean “rho”"),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, tuple) else "",
)
def test_bad_input_is_one_clear_message(words: tuple[str, ...], says: str):
    reply = run("simulate", *words, *(() if "textbook" in words else ("--seeds", "1")), "-q")
    assert isinstance(reply.exception, PricewarError), reply.output
    assert reply.exception.exit_code == 2
    assert says in str(reply.exception)


def test_names_stand_for_numbers():
    market = definition.market("china-2024")
    items = ["deepseek.conduct=rule", "merge_into=alibaba", "deepseek.cash=1_000"]
    assert settings(market, items, "--set") == {
        "deepseek.conduct": 3.0, "merge_into": 3.0, "deepseek.cash": 1000.0,
    }  # fmt: skip


def test_one_day_is_no_days():
    from pricewar.report.war_words import plainly

    figures = {"low": 1, "high": 3, "last": 5, "history": 5, "history_last": 16}
    assert "half within 1 day (80%: 1 to 3)" in (plainly("say.followed", {"lag": 1, **figures}) or "")
    assert "half within 2 days (80%: 1 to 3)" in (plainly("say.followed", {"lag": 2, **figures}) or "")


def test_a_narrow_terminal_gets_fewer_columns_and_no_broken_word():
    from pricewar.games.solution import Table

    table = Table(
        "", ("vendor", "share", "80%", "cash"), (("bytedance", "31%", "21% – 47%", "9.14 bn"),), "n"
    )
    assert fitted(table, 80, ("80%", "cash")) == table
    slim = fitted(table, 30, ("80%", "cash"))
    assert slim.columns == ("vendor", "share", "cash")
    assert slim.rows == (("bytedance", "31%", "9.14 bn"),)
    assert slim.note == "n\nleft out for want of width: 80%"


def test_sentences_of_effects():
    assert sentence(Effect("hhi", -0.27, -0.31, -0.24, 1.0, 50)) == "concentration falls 27% (24–31)"
    assert sentence(Effect("harvest", 0.05, -0.01, 0.1, 0.5, 50)) is None
    assert sentence(Effect("harvest", -0.12, -0.15, -0.08, 0.9, 50)) == (
        "the chance of a harvest falls 12 points (8–15)"
    )
    assert (short(2.29e9), short(-7.8e8), short(12.0)) == ("2.29 bn", "-780 mn", "12")


@pytest.mark.parametrize(
    "words",
    [
        ("simulate", "china-2024", "--seeds", "2", "--months", "3", "-q"),
        ("simulate", "china-2024", "--seeds", "2", "--months", "3", "-q", "--json", "-"),
        ("war", "--seeds", "2", "-q"),
    ],
    ids=lambda words: words[0] + ("-json" if "--json" in words else ""),
)
def test_a_reader_that_goes_away_is_no_error(words: tuple[str, ...]):
    code = "from pricewar.cli import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", code, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
        assert (process.wait(), said) == (0, b"")


def test_commands_load_nothing_heavy_before_they_run():
    code = (
        "import sys; from click.testing import CliRunner; import pricewar.cli; "
        "[CliRunner().invoke(pricewar.cli.cli, [c, '--help']) for c in ('simulate', 'war', 'demo')]; "
        "heavy = {'numba', 'numpy', 'scipy', 'polars', 'xarray', 'pydantic'}; "
        "print(','.join(sorted(heavy & set(sys.modules))))"
    )
    reply = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert reply.stdout.strip() == ""
