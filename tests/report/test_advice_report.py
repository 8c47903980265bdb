"""The page of advice as text: self-contained, inert, translated; its sentences follow the figures."""

from __future__ import annotations

import ast
import copy
import hashlib
import json
import re
from base64 import b64encode
from io import StringIO

import pytest
from made_up_advice import HOSTILE, advice

from pricewar.errors import ConfigurationError, DataError
from pricewar.notes import Note
from pricewar.report import HERE
from pricewar.report import advice as page
from pricewar.report import advice_story as told
from pricewar.report.advice_notes import NOTES
from pricewar.report.advice_words import WORDS, catalogue, money, plainly
from pricewar.report.words import LANGUAGES

PLACE = re.compile(r"\{(\w+)(?::([^}|]*))?[^}]*\}")


def test_every_word_stands_in_every_language_with_the_same_places() -> None:
    for key, texts in WORDS.items():
        assert len(texts) == len(LANGUAGES), key
        assert all(text.strip() for text in texts), key
        names = [{name for name, _ in PLACE.findall(text)} for text in texts]
        assert names[0] == names[1] == names[2], key


def test_every_word_the_page_asks_for_is_there() -> None:
    script = "".join((HERE / "page" / name).read_text("utf-8") for name in ("advice_view.js", "advice.js"))
    template = (HERE / "page" / "advice.html.j2").read_text("utf-8")
    asked = set(re.findall(r'speech\.(?:word|text)\("([a-z_.]+)"', script))
    asked |= {f"col.{name.lstrip('-')}" for call in re.findall(r"(?:heads|money|shares)\(([^)]*)\)", script)
              for name in re.findall(r'"([^"]+)"', call)}  # fmt: skip
    asked |= set(re.findall(r'w\("([a-z_.]+)"\)', template))
    assert len(asked) > 60
    assert asked <= set(catalogue()["en"])


def test_no_word_is_left_over() -> None:
    shown = "".join(
        (HERE / name).read_text("utf-8")
        for name in (
            "page/advice_view.js", "page/advice.js", "page/advice.html.j2", "advice_story.py",
            "../cli/advise_table.py",
        )
    )  # fmt: skip
    ending = re.compile(r"[`\"'](\w+)\.(?:\$\{|\{|[\"'] ?\+)")
    open_ended = set(ending.findall(shown)) | {
        "col",
        "note",
        "skipped",
        "verdict",
    }  # the rest comes from the data
    for key in WORDS:
        assert key in shown or key.split(".")[0] in open_ended, key


def calls(name: str) -> dict[str, str]:
    """Keys given to `name` as its second or third argument anywhere in the product, with the file."""
    place = {"Note": 1, "Excluded": 2}[name]
    found: dict[str, str] = {}
    for path in HERE.parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
                key = node.args[place] if len(node.args) > place else None
                if isinstance(key, ast.Constant):
                    found[str(key.value)] = path.name
    return found


def test_notes_and_reasons_have_their_words() -> None:
    notes = {key.removeprefix("note.") for key in NOTES if key.startswith("note.")}
    assert set(calls("Note")) <= notes
    makers = "".join(p.read_text("utf-8") for p in HERE.parent.glob("[af][du]*/*.py"))  # advice, futures
    assert {key for key in notes if f'"{key}"' not in makers} == set()
    reasons = {key.split(".")[1] for key in NOTES if key.split(".")[0] in ("out", "skipped")}
    given = set(calls("Excluded"))
    assert len(given) > 10
    assert given <= reasons


def test_the_forecasts_are_as_hopeful_as_the_page_says() -> None:
    table = (HERE.parents[2] / "docs" / "backtest.md").read_text("utf-8")
    for what in ("free terms ended", "own model retired"):
        row = re.search(rf"\| {what} \| 12 \| \d+ \| (\d+)% \| (\d+)% \|", table)
        assert row is not None
        assert int(row[1]) > int(row[2]), what  # happened, expected


@pytest.mark.parametrize("basis", ["measured", "measured apart", "published", "none", "same model"])
@pytest.mark.parametrize("low", [-0.5, -0.01, 0.01])
def test_a_verdict_says_the_same_as_text_and_as_words(basis: str, low: float) -> None:
    from pricewar.advice.evidence_intervals import Interval
    from pricewar.advice.evidence_verdict import Bar, Comparison, _absolute, _relative

    at = Interval(estimate=low + 0.02, low=low, high=low + 0.04, level=0.9, n=400, method="")
    rate = Interval(estimate=0.9 + low / 10, low=0.85, high=0.95 + low / 10, level=0.9, n=400, method="")
    bar = Bar(pass_rate=0.9, margin=0.05)
    against = Comparison("a", "b", basis, 400, at)  # type: ignore[arg-type]
    both = _relative(bar, against)[1], _absolute("a", bar, (rate, basis))[1]  # type: ignore[arg-type]
    for note in (*both, _absolute("a", bar, None)[1]):
        assert isinstance(note, Note)
        said = note.said()
        assert plainly(said["key"], said["args"]) == note


def test_a_note_is_its_text_and_its_key() -> None:
    note = Note("2 futures are few", "few", draws=2)
    assert note == "2 futures are few"
    again = copy.deepcopy(note)
    assert (again, again.key, again.args) == (note, "few", {"draws": 2})
    assert plainly(**{k: v for k, v in note.said().items() if k != "text"}).startswith("2 futures are few")


def test_the_page_fetches_nothing_and_runs_only_its_own_scripts() -> None:
    text = page.html(advice())
    assert not re.search(r"<(?:link|img|iframe|object|embed|base|form)\b", text.split("<script")[0])
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    assert "default-src 'none'" in policy[1].replace("&#39;", "'")
    for body in re.findall(r"<script>(.*?)</script>", text, re.S):
        assert b64encode(hashlib.sha256(body.encode()).digest()).decode() in policy[1]


def test_names_are_never_markup() -> None:
    text = page.html(advice(name=HOSTILE))
    assert "<script>alert" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_it_travels_with_its_data() -> None:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.html(advice()), re.S)
    assert found is not None
    data = json.loads(found[1])
    assert data["recommended"] == "trigger"
    assert len(data["triggers"]) == 4


def test_a_language_or_data_that_are_none() -> None:
    with pytest.raises(ConfigurationError, match="fr"):
        page.html(advice(), language="fr")
    with pytest.raises(DataError):
        page.html({**advice(), "seed": object()})


def test_the_modules_of_the_page_do_not_share_names() -> None:
    seen: dict[str, str] = {}
    for module in page.MODULES:
        script = (HERE / module).read_text("utf-8")
        for name in re.findall(r"^(?:export )?(?:function|class|const|let) (\w+)", script, re.M):
            assert name not in seen, (name, module, seen.get(name))
            seen[name] = module


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("stay", "Take free/one and keep it"),
        ("free", "leave in month 9"),
        ("trigger", "pays for itself within 6 months"),
        ("optimal", "follow the plan below"),
        ("several", "two vendors side by side"),
    ],
)
def test_what_to_do_comes_first_with_its_money(key: str, words: str) -> None:
    data = advice(recommended=key)
    first = plainly(**data["story"][0])
    cost = told.outcome(data, key)
    assert cost is not None
    assert words in first
    for figure in ("mean", "p5", "p95", "tail"):
        assert money(cost["cost"][figure]) in first


def test_sentences_follow_the_figures() -> None:
    data = advice()
    said = [plainly(**row) for row in data["story"]]
    assert any("not decided by published figures" in text for text in said)
    assert any("does not pay here: it costs $500 more than it saves ($400 to $600)" in text for text in said)
    assert not any("second vendor" in text for text in said)  # it was not considered
    data["portability"]["amount"] |= {"mean": 500.0, "low": 400.0, "high": 600.0}
    assert any("saves $500 ($400 to $600)" in plainly(**row) for row in told.story(data))
    data["portability"]["amount"] |= {"low": -100.0}
    assert any("cannot be said: −$100 to $600" in plainly(**row) for row in told.story(data))
    assert [row["key"] for row in data["tale"]] == [
        "tale.today", "tale.kept", "tale.ends", "tale.dearer", "tale.parts"
    ]  # fmt: skip
    parts = plainly(**data["tale"][-1])
    assert "85% is integrating, moving and a second vendor kept, 10% tokens and 5% the work" in parts


def test_a_short_log_is_said_early() -> None:
    data = advice()
    data["workload"] |= {"short": True, "days": 3.0, "spread": 0.4}
    said = plainly(**told.story(data)[1])
    assert "only 3 days" in said
    assert "40%" in said


def test_no_free_offer_no_tale() -> None:
    data = advice(free=False)
    assert data["versus"] is None
    assert data["tale"] == []
    assert "</html>" in page.html(data)


@pytest.mark.parametrize("width", [40, 48, 60, 80, 100])
def test_tables_fit_the_terminal(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    from rich.console import Console

    from pricewar.cli import advise_table, pictures

    out = Console(highlight=False, width=width, file=StringIO(), force_terminal=False)
    monkeypatch.setattr(pictures, "console", lambda: out)
    data = advice()
    data["outcomes"][0]["cost"] |= {"mean": 1_234_567.0, "p5": 1_000_000.0, "p95": 2_000_000.0}
    printed: list[str] = []
    whole = out.print
    monkeypatch.setattr(out, "print", lambda *row, **how: (printed.extend(map(str, row)), whole(*row, **how)))
    advise_table.show(data, ["strategies", "leaving", "offers", "free"])
    # Lines that hold figures in columns are not broken; sentences are.
    rows = [line for line in printed if re.search(r"\S {3,}\S", line)]
    assert len(rows) > 12
    assert max(map(len, rows)) <= width
    text = out.file.getvalue()  # type: ignore[attr-defined]
    if width != 80:
        assert ("left out for want of width: moves" in text) == (width < 80)


@pytest.mark.parametrize(
    ("value", "text"),
    [(1234.5, "$1,234"), (-1234.5, "−$1,234"), (12.345, "$12.35"), (0.0, "$0"), (-0.001, "$0")],
)
def test_money_is_as_short_as_its_size_allows(value: float, text: str) -> None:
    assert money(value) == text


def test_a_negative_more_is_said_as_less() -> None:
    data = advice()
    today = told.outcome(data, "today")
    assert today is not None
    today["against"]["mean"] = -2466.0
    said = " ".join(plainly(**row) for row in told.story(data))
    assert "costs $2,466 less if kept" in said
    assert "−" not in said.split("What is cheapest today")[1].split("Because")[0]
    today["against"]["mean"] = 0.0
    said = " ".join(plainly(**row) for row in told.story(data))
    assert "costs as much if kept" in said


def test_what_nobody_publishes_is_said_of_what_to_take() -> None:
    data = advice()
    assert not any(row["key"] == "say.unpublished" for row in data["story"])
    data["candidates"][0]["unpublished"] = ["regions", "training"]
    said = [plainly(**row) for row in told.story(data)]
    line = next(text for text in said if text.startswith("Not published for free/one"))
    assert "where it is offered; whether the vendor trains on what is sent." in line
    assert "ask before you sign" in line


def test_one_month_is_one() -> None:
    data = advice(months=1)
    said = " ".join(plainly(**row) for row in [*data["story"], *data["tale"]])
    assert "1 month costs" in said
    assert not re.search(r"\b1 months", said)


def test_what_refused_requests_cost_is_said_as_it_was_counted() -> None:
    data = advice()
    assert any("what they cost elsewhere is counted" in plainly(**row) for row in data["story"])
    data["assumptions"].append({"key": "refused", "value": "0", "unit": "money", "why": "", "given": True})
    said = " ".join(plainly(**row) for row in told.story(data))
    assert "what the team says a refused request costs" in said
    assert "elsewhere" not in said


def test_today_is_no_day_to_look_again() -> None:
    data = advice()
    data["plan"]["look_again"][0]["day"] = data["start"]
    assert [look["day"] for look in told.looks(data)] == ["2027-07-01"]
    data["plan"]["look_again"] = data["plan"]["look_again"][:1]
    assert not any(row["key"] == "say.look" for row in told.story(data))


def test_few_futures_and_several_models_are_said_early() -> None:
    data = advice()
    data["judged"], data["models"] = 1, ["one", "two"]
    keys = [row["key"] for row in told.story(data)]
    assert keys.index("say.few") == 1
    assert "say.several_models" in keys
    assert "Only 1 future judges this" in plainly(**told.story(data)[1])


def test_a_second_vendor_is_held_against_a_single_one_and_the_advice() -> None:
    data = advice()
    data["second_vendor"] = {"amount": {**data["lock_in"]["amount"], "low": 200.0}, "words": ""}
    said = " ".join(plainly(**row) for row in told.story(data))
    assert "Against keeping the best single offer" in said
    assert "still $3,900 dearer than this advice" in said  # two vendors cost 9,900, the advice 6,000


def test_terms_are_words_of_the_report() -> None:
    data = advice()
    known = next(row for row in data["story"] if row["key"] == "say.know")
    assert plainly(**known) == "To know of free/one: new accounts only."
    for words in catalogue().values():
        assert known["args"]["what"][0]["key"] in words


def test_where_the_futures_come_from_is_a_sentence() -> None:
    data = advice()
    assert plainly(**told.source(data)) == "history as of 2026-11-22"  # type: ignore[arg-type]
    assert plainly(**told.source({**data, "market": "china-2024"})) == "market china-2024"  # type: ignore[arg-type]
