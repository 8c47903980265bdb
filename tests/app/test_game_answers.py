"""The games' answers: published figures, several equilibria, mistakes told, and no work left running."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from serving import HANG, alive

from pricewar.app import games, games_seats, words_games
from pricewar.app.games_work import plain
from pricewar.app.session import Job
from pricewar.errors import ConfigurationError
from pricewar.games.replicate import targets
from pricewar.games.solution import catalogue

BDK = "learning-bdk2014"


@pytest.fixture(scope="module", autouse=True)
def nothing_left() -> Iterator[None]:
    yield
    games_seats.close()


def asked(handler: Any, message: Mapping[str, Any], job: Job | None = None) -> list[dict[str, Any]]:
    """Every part of an answer, as it stands on the wire."""
    return [json.loads(json.dumps(part, allow_nan=False)) for part in handler(message, job or Job(1))]


def last(message: Mapping[str, Any]) -> dict[str, Any]:
    parts = asked(games.answer, message)
    assert [part["whole"] for part in parts] == [False] * (len(parts) - 1) + [True]
    return parts[-1]


# ---------------------------------------------------------------- the catalogue


def test_every_game_and_parameter_is_listed_with_range_and_words() -> None:
    listed = {game["name"]: game for game in asked(games.catalogue, {})[0]["games"]}
    assert list(listed) == list(catalogue())
    for name, game in catalogue().items():
        assert f"games.g.{name}" in words_games.WORDS
        told = listed[name]
        assert (told["search"], told["trace"], told["rules"]) == (
            game.search is not None, game.trace is not None, game.rules is not None)  # fmt: skip
        for p, row in zip(game.parameters, told["parameters"], strict=True):
            assert (row["name"], row["default"], row["low"], row["high"]) == (
                p.name,
                p.default,
                p.low,
                p.high,
            )
            assert p.low <= row["from"] <= p.default <= row["to"] <= p.high
            assert row["from"] < row["to"]
            assert {f"games.p.{p.name}", f"games.p.{name}.{p.name}"} & set(words_games.WORDS), p.name
            assert not row["unit"] or f"games.unit.{row['unit']}" in words_games.WORDS


def test_every_published_figure_belongs_to_a_game() -> None:
    short = {t.id for t in targets() if not t.long}
    mapped = [i for ids in games.FIGURES.values() for i in ids]
    assert sorted(mapped) == sorted(short)
    assert set(games.FIGURES) <= set(catalogue())


# ---------------------------------------------------------------- equilibria


def test_the_published_prices_of_bdk_2014() -> None:
    told = last({"game": BDK, "all": True, "budget": 40})
    assert told["count"] == 3
    prices = [e["figures"]["price (1,1)"] for e in told["equilibria"]]
    assert prices == pytest.approx([-34.77592203, 3.27431966, 5.05435690], abs=1e-7)
    assert [round(p, 2) for p in prices] == [-34.78, 3.27, 5.05]
    assert all(
        e["solved"] and e["residual"] < 1e-9 and e["exploitability"] < 1e-9 for e in told["equilibria"]
    )
    assert all(e["stable"] in (True, False) and e["selection"] for e in told["equilibria"])
    for k, price in enumerate(prices, 1):
        surface = told["details"][str(k)]["surfaces"][0]
        assert surface["key"] == "price"
        at = surface["x"].index(1), surface["y"].index(1)
        assert surface["z"][at[0]][at[1]] == pytest.approx(price)
        assert surface["z"][0][at[1]] is None  # nobody there, so no price: not 0
    path = told["details"]["1"]["path"]
    assert path["periods"][0] == 0
    assert path["periods"][-1] == 999
    # the paper's industry at period 1000: HHI 0.96, price 8.26, consumer surplus 1.99, total 6.09
    road = [path[key][-1] for key in ("hhi", "price", "consumers", "surplus")]
    assert [round(v, 2) for v in road] == [0.96, 8.26, 1.99, 6.09]
    assert round(path["discounted"]["consumers"], 2) == 104.18


def test_probabilities_of_states_are_probabilities() -> None:
    surfaces = last({"game": "learning-bdks2010"})["details"]["1"]["surfaces"]
    for surface in surfaces:
        if surface["key"] == "chance":
            assert sum(v for row in surface["z"] for v in row) == pytest.approx(1, abs=1e-6)


def test_one_equilibrium_comes_at_once_and_its_stability_after() -> None:
    parts = asked(games.answer, {"game": "learning-bdks2010", "set": {"delta": 0.04}})
    assert [part["equilibria"][0]["stable"] is None for part in parts] == [True, False]


def test_the_127_of_irs_2016() -> None:
    told = last({"game": "leapfrogging-irs2016", "all": True, "k": 77})
    assert told["count"] == 127 == len(told["equilibria"])
    assert "127" in told["details"]["77"]["tables"][0]["note"]


@pytest.mark.parametrize("name", list(catalogue()))
def test_every_game_answers(name: str) -> None:
    told = last({"game": name})
    assert told["count"] == 1
    assert told["equilibria"][0]["solved"]
    detail = told["details"]["1"]
    assert detail["tables"]
    for table in detail["tables"]:
        assert all(len(row) == len(table["columns"]) for row in table["rows"])
        titles = [table["title"], *table["columns"]]
        known = {title for title in titles if f"games.t.{title}" in words_games.WORDS}
        assert {t for t in titles if not (t in known or t[:1] in "xu")} == set()  # x1, u = −F x
    for surface in detail["surfaces"]:
        assert len(surface["z"]) == len(surface["x"])
        assert all(len(row) == len(surface["y"]) for row in surface["z"])


def test_a_large_game_tells_its_prices_only() -> None:
    detail = last({"game": BDK, "set": {"levels": 70}})["details"]["1"]
    assert [s["key"] for s in detail["surfaces"]] == ["price"]


# ---------------------------------------------------------------- branches, rules, figures


def test_branches_run_through_folds() -> None:
    """Over δ in [0, 0.1] at ρ = 0.85 there is one branch with folds, and three equilibria at δ = 0.026."""
    message = {"game": "learning-bdks2010", "parameter": "delta", "low": 0.02, "high": 0.03, "budget": 8}
    told = asked(games.trace, message)[-1]
    assert told["parameter"] == "delta"
    assert told["branches"]
    folds = [fold for b in told["branches"] for fold in b["folds"]]
    assert len(folds) >= 2
    assert all(0.02 < fold < 0.03 for fold in folds)
    prices = []
    for b in told["branches"]:
        assert len(b["values"]) == len(b["figures"])
        assert b["residual"] < 1e-8
        steps = zip(b["values"], b["values"][1:], b["figures"], b["figures"][1:], strict=False)
        prices += [
            p + (q - p) * (0.026 - v) / (w - v) for v, w, p, q in steps if (v - 0.026) * (w - 0.026) < 0
        ]
    for published in (5.946757, 4.423665, 2.322476):
        assert (
            min(abs(p - published) for p in prices) < 0.1
        )  # between two points of the branch a straight line


def test_other_rules() -> None:
    told = asked(games.rules, {"game": "switching-costs", "set": {"switching_cost": 0.5}})[-1]
    assert told["k"] == 1
    assert len(told["table"]["rows"]) == 5
    assert {row[1] for row in told["table"]["rows"]} == {"solved"}


def test_figures_come_one_by_one_beside_the_published() -> None:
    parts = asked(games.figures, {"game": "horn-wolinsky1988"})
    assert [len(part["rows"]) for part in parts] == [1, 2]
    assert parts[-1]["of"] == 2
    for row, formula in zip(parts[-1]["rows"], (16 / 7, 13 / 4), strict=True):
        assert row["published"] == pytest.approx(formula, abs=1e-15)
        assert row["agrees"]
        assert abs(row["difference"]) <= row["tolerance"]
    assert asked(games.figures, {"game": "nash-in-nash"}) == [{"rows": [], "of": 0}]


# ---------------------------------------------------------------- copied texts


def test_the_command_gives_the_same() -> None:
    from click.testing import CliRunner

    from pricewar.cli import cli

    told = last({"game": "static-logit", "set": {"firms": 3, "cost": 1.25}})
    words = told["command"].split()
    assert words[0] == "pricewar"
    done = CliRunner().invoke(cli, [*words[1:], "--json", "-"])
    assert done.exit_code == 0, done.output
    price = json.loads(done.output[done.output.index("[") :])[0]["policy"]["price"][0]
    assert price == pytest.approx(told["details"]["1"]["tables"][0]["rows"][0][1], rel=1e-7)


@pytest.mark.parametrize(
    "message",
    [
        {"game": "lq-adjustment", "set": {"gamma": 3.5}},
        {"game": "leapfrogging-irs2016", "all": True, "budget": 5, "seed": 1},
    ],
)
def test_the_python_runs(message: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    told = last(message)
    exec(compile(told["python"], "copied", "exec"), {})
    shown = capsys.readouterr().out
    assert shown.count("Table(") >= told["count"]


def test_the_texts_of_a_branch_name_every_choice() -> None:
    game = catalogue()["learning-bdks2010"]
    texts = games.texts_of_trace(
        game, game.checked({"rho": 0.9, "delta": 0.5}), "delta", 0.0, 0.1, {"budget": 9}
    )
    assert texts["command"] == (
        "pricewar solve learning-bdks2010 --set rho=0.9 --trace delta=0.0:0.1 --budget 9"
    )
    assert 'game.trace("delta", 0.0, 0.1, rho=0.9, budget=9)' in texts["python"]


# ---------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("handler", "message", "what", "where", "remedy"),
    [
        (games.answer, {"game": "learning-bdk2041"}, "no game is called", None, "learning-bdk2014"),
        (games.answer, {"game": 3}, "a game is wanted", "game", "pricewar games"),
        (games.answer, {"game": BDK, "set": {"rho": 1.5}}, "1.5 is out of", "parameter rho", "0.01 to 1"),
        (games.answer, {"game": BDK, "set": {"levels": 2.5}}, "not whole", "parameter levels", "know-how"),
        (games.answer, {"game": BDK, "set": {"roh": 0.5}}, "no parameter “roh”", BDK, "rho"),
        (games.answer, {"game": BDK, "set": {"rho": "x"}}, "a number is wanted", "parameter rho", "0.5"),
        (games.answer, {"game": BDK, "set": {"rho": True}}, "a number is wanted", "parameter rho", "0.5"),
        (games.answer, {"game": BDK, "set": [1]}, "an object", "set", None),
        (games.answer, {"game": BDK, "all": "yes"}, "true or false", "all", None),
        (games.answer, {"game": BDK, "budget": 0}, "a whole number", "budget", "1 to 5000"),
        (games.answer, {"game": BDK, "k": "1"}, "a whole number", "k", "1 to"),
        (games.answer, {"game": "static-logit", "all": True}, "offers no search", "all", "leave it out"),
        (games.trace, {"game": "static-logit"}, "offers no trace", "game", "pricewar games"),
        (games.trace, {"game": BDK, "parameter": "levels"}, "can be followed", "parameter", "one of"),
        (games.trace, {"game": BDK, "parameter": "rho", "low": 0.9, "high": 0.8}, "not below", "low", "move"),
        (games.trace, {"game": BDK, "parameter": "rho", "low": 0.9}, "not a number", "parameter rho", None),
        (games.rules, {"game": "static-logit"}, "no other rules", "game", "leave it out"),
        (games.figures, {"game": "nothing"}, "no game is called", None, "known"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_place_and_remedy(
    handler: Any, message: dict[str, Any], what: str, where: str | None, remedy: str | None
) -> None:
    with pytest.raises(ConfigurationError) as told:
        asked(handler, message)
    assert what in told.value.what
    assert where is None or where in str(told.value.where)
    assert remedy is None or remedy in str(told.value.remedy)


# ---------------------------------------------------------------- processes


def working() -> list[games_seats.Seat]:
    return [seat for seat in games_seats._SEATS if not seat.free]


class Hasty(Job):
    """A question that is cancelled as soon as a process works on it."""

    pid = 0

    @property
    def cancelled(self) -> bool:
        at_work = [seat.process.pid for seat in working() if seat.process is not None]
        if at_work and not self.pid:
            self.pid = at_work[0]
            self.cancel()
        return super().cancelled


def cancelled_under_way(message: Mapping[str, Any]) -> int:
    """Ask, cancel once a process works on it, and wait for the end; the process's number."""
    games_seats.close()
    job = Hasty(1)
    assert asked(games.answer, message, job) == []
    assert working() == []
    return job.pid


def test_what_does_not_stop_in_time_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(games_seats, "GRACE", 0.0)
    assert not alive(cancelled_under_way({"game": BDK, "set": {"levels": 300}}))


def test_a_solver_stops_between_two_steps_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(games_seats, "GRACE", HANG)
    pid = cancelled_under_way({"game": BDK, "set": {"levels": 60, "rho": 0.71}})
    assert alive(pid)
    last({"game": "horn-wolinsky1988", "set": {"a": 11.5}})  # the same process answers, and the right thing
    assert [seat.process.pid for seat in games_seats._SEATS if seat.process is not None] == [pid]


def test_a_fast_question_superseded_keeps_its_process_warm() -> None:
    games._ANSWERS.clear()
    last({"game": "learning-bdks2010"})
    pid = next(seat.process.pid for seat in games_seats._SEATS if seat.process is not None)
    job = Job(1)
    said = games.answer({"game": "learning-bdks2010", "set": {"delta": 0.031}}, job)
    assert not next(said)["whole"]
    job.cancel()
    assert list(said) == []
    last({"game": "learning-bdks2010", "set": {"delta": 0.032}})
    assert pid in {seat.process.pid for seat in games_seats._SEATS if seat.process is not None}


def test_unread_figures_stop_the_work() -> None:
    said = games.figures({"game": "lq-judd1990"}, Job(1))
    next(said)
    assert len(working()) == 1
    said.close()  # type: ignore[attr-defined]
    assert working() == []


def test_a_process_that_dies_is_told_and_replaced() -> None:
    from pricewar.app.child import BrokenError

    seat = games_seats.Seat()

    class Deadly(Job):
        """A question whose process dies while the answer is awaited."""

        @property
        def cancelled(self) -> bool:
            seat.process.kill()
            return super().cancelled

    with pytest.raises(BrokenError):
        list(seat.ask("solve", (BDK, {"levels": 300}, {"stability": False}), Deadly(1)))
    assert [kind for kind, _ in seat.ask("figures", (("X1",),), Job(1))] == ["row", "row", "done"]
    seat.kill()


def test_answers_are_kept_and_forgotten_in_turn() -> None:
    for number in range(games.KEPT + 1):
        games.keep(f"test {number}", {})
    assert games.kept("test 0") is None
    assert games.kept(f"test {games.KEPT}") == {}


def test_numbers_are_plain() -> None:
    assert plain(math.nan) is None
    assert plain(math.inf) is None
    assert plain(1 / 3, 4) == 0.3333
