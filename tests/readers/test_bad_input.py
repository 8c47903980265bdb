"""Damaged, odd and hostile logs: a clear error or a stated exclusion, never a silent drop."""

from __future__ import annotations

import codecs
import gzip
import json
from pathlib import Path

import polars as pl
import pytest

from pricewar.errors import ConfigurationError, LogError
from pricewar.usage.log import Log
from pricewar.usage.read import read

HEADER = "timestamp,model,prompt_tokens,completion_tokens\n"
ROW = "2026-10-01T00:00:00Z,m,10,5\n"


def given(folder: Path, content: str | bytes, name: str = "log.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def account(log: Log) -> dict[str, int]:
    assert log.rows_in == log.rows + log.excluded
    assert log.rows == log.frame().height
    return {e.cause: e.count for e in log.exclusions}


@pytest.mark.parametrize(
    ("row", "cause"),
    [
        (",m,10,5", "no time"),
        ("yesterday,m,10,5", "a time that cannot be read"),
        ("01/02/2026,m,10,5", "a time that cannot be read"),
        ("1970-01-01T00:00:00Z,m,10,5", "a time before 2000 or after 2100"),
        ("2026-10-01T00:00:00Z,,10,5", "no model named"),
        ("2026-10-01T00:00:00Z,m,,", "no token counts"),
        ("2026-10-01T00:00:00Z,m,-10,5", "a negative count"),
        ("2026-10-01T00:00:00Z,m,1.5,5", "a count that is no whole number"),
        ("2026-10-01T00:00:00Z,m,ten,5", "a count that is no whole number"),
        ("2026-10-01T00:00:00Z,m,1000000000000001,5", "an absurd count (over 10^15 in one row)"),
        ("2026-10-01T00:00:00Z,m,99999999999999999999999,5", "an absurd count (over 10^15 in one row)"),
        ("2026-10-01T00:00:00Z,m,inf,5", "an absurd count (over 10^15 in one row)"),
        ("2026-10-01T00:00:00Z,m,10", "wrong number of fields"),
        ("2026-10-01T00:00:00Z,m,10,5,6", "wrong number of fields"),
        ('2026-10-01T00:00:00Z,"m,10,5', "a quote that is never closed"),
    ],
)
def test_one_bad_row(tmp_path: Path, row: str, cause: str) -> None:
    log = read(given(tmp_path, HEADER + ROW + row + "\n" + ROW))
    assert account(log) == {cause: 1}
    assert log.exclusions[0].examples == ("log.csv:3",)
    assert log.rows == 2


def test_whole_numbers_in_other_dress(tmp_path: Path) -> None:
    log = read(
        given(tmp_path, HEADER + "2026-10-01T00:00:00Z,m, 10.0 ,5e2\n1790812801,m,1000000000000000,\n")
    )
    assert not account(log)
    assert log.frame()["input"].to_list() == [10, 10**15]
    assert log.frame()["output"].to_list() == [500, 0]
    assert any("only input or only output" in note for note in log.notes)


def test_cached_more_than_input(tmp_path: Path) -> None:
    content = "timestamp,model,prompt_tokens,cached_tokens,completion_tokens\n2026-10-01,m,10,11,1\n"
    assert account(read(given(tmp_path, content))) == {
        "more cached tokens than the input they are part of": 1
    }


def test_truncated_csv(tmp_path: Path) -> None:
    log = read(given(tmp_path, (HEADER + ROW * 3)[:-8]))
    assert account(log) == {"wrong number of fields": 1}
    assert log.rows == 2


def test_last_line_without_end_and_blank_lines(tmp_path: Path) -> None:
    log = read(given(tmp_path, "\r\n" + HEADER + "\r\n" + ROW + "\n\n" + ROW.strip()))
    assert not account(log)
    assert log.rows == 2


def test_quoted_line_ends_keep_their_line_numbers(tmp_path: Path) -> None:
    content = "note," + HEADER + '"two\nlines, here",' + ROW + "x,2026-10-01,,1,1\n"
    log = read(given(tmp_path, content))
    assert account(log) == {"no model named": 1}
    assert log.exclusions[0].examples == ("log.csv:4",)


def test_empty_files(tmp_path: Path) -> None:
    log = read(given(tmp_path, HEADER))
    assert (log.rows_in, log.rows, log.span) == (0, 0, None)
    assert log.frame().is_empty()
    assert list(log.batches()) == []
    for content in (b"", b"  \n", gzip.compress(b"")):
        with pytest.raises(LogError, match=r"content|blank"):
            read(given(tmp_path, content))


def test_binary_garbage(tmp_path: Path) -> None:
    for content in (bytes(range(256)) * 40, b"\x89PNG\r\n\x1a\n" + b"\x00" * 50, b"PK\x03\x04rest"):
        with pytest.raises(LogError):
            read(given(tmp_path, content))


def test_missing_columns_name_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(LogError) as caught:
        read(given(tmp_path, "timestamp,prompt_tokns,completion_tokens\n2026-10-01,1,1\n"))
    assert "no column for model, input" in str(caught.value)
    assert "--map model==gpt-5-mini" in str(caught.value)
    with pytest.raises(LogError, match="did you mean “prompt_tokns”"):
        read(tmp_path / "log.csv", mapping={"model": "=m", "input": "prompt_tokens"})
    with pytest.raises(ConfigurationError, match="did you mean"):
        read(tmp_path / "log.csv", mapping={"modle": "=m"})
    with pytest.raises(ConfigurationError, match="Europe/Paris"):
        read(tmp_path / "log.csv", zone="Mars/Olympus")
    with pytest.raises(ConfigurationError, match="litellm"):
        read(tmp_path / "log.csv", format="litelm")


def test_a_column_twice(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="stands twice"):
        read(given(tmp_path, "timestamp,model,model,prompt_tokens,completion_tokens\n"))


def test_lines_ended_by_carriage_returns(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="bare carriage return"):
        read(given(tmp_path, (HEADER + ROW).replace("\n", "\r")))


def test_cost_reports_are_refused(tmp_path: Path) -> None:
    page = {
        "data": [{"starting_at": "2026-10-01T00:00:00Z", "results": [{"amount": "1", "currency": "USD"}]}]
    }
    with pytest.raises(LogError, match="cost report"):
        read(given(tmp_path, json.dumps(page)))


def test_truncated_containers(tmp_path: Path) -> None:
    frame = pl.DataFrame({"timestamp": ["2026-10-01"] * 999, "model": "m", "prompt_tokens": 1, "output": 1})
    path = tmp_path / "log.parquet"
    frame.write_parquet(path)
    whole = path.read_bytes()
    for content in (whole[:-9], whole[: len(whole) // 2], gzip.compress(HEADER.encode() * 99)[:-20]):
        with pytest.raises(LogError, match=r"truncated|ends early"):
            read(given(tmp_path, content, "cut"))
    page = json.dumps(
        {"object": "page", "data": [{"object": "bucket", "start_time": 1, "results": []}]}, indent=1
    )
    with pytest.raises(LogError, match="truncated"):
        read(given(tmp_path, page[:-3]))


def test_bad_json_lines(tmp_path: Path) -> None:
    good = {"timestamp": "2026-10-01", "model": "m", "prompt_tokens": 3, "completion_tokens": 1}
    lines = [
        json.dumps(good),
        "{broken",
        "[1]",
        json.dumps({**good, "prompt_tokens": "4"}),
        json.dumps(good)[:-9],
    ]
    log = read(given(tmp_path, "\n".join(lines)))
    assert account(log) == {"not a complete JSON object": 3}
    assert log.exclusions[0].examples == ("log.csv:2", "log.csv:3", "log.csv:5")
    assert log.frame()["input"].to_list() == [3, 4]


@pytest.mark.parametrize(
    ("encoding", "bom", "told"),
    [
        ("utf-8", codecs.BOM_UTF8, False),
        ("utf-16-le", codecs.BOM_UTF16_LE, True),
        ("utf-16-be", codecs.BOM_UTF16_BE, True),
        ("utf-16-le", b"", True),
        ("gb18030", b"", True),
    ],
)
def test_encodings(tmp_path: Path, encoding: str, bom: bytes, told: bool) -> None:
    text = HEADER.replace("\n", ",project\n") + ROW.replace("\n", ",客服机器人\n") * 40
    log = read(given(tmp_path, bom + text.encode(encoding)))
    assert not account(log)
    assert log.frame()["project"].unique().to_list() == ["客服机器人"]
    assert any("was read as" in note for note in log.notes) == told


def test_chinese_lines_that_read_as_utf8_by_chance(tmp_path: Path) -> None:
    """千 in GB18030 is C7 A7, which is also UTF-8: one such line does not make the file UTF-8."""
    rows = [ROW.replace("\n", f",{name}\n") for name in ("客服机器人",) * 40 + ("千",)]
    text = HEADER.replace("\n", ",project\n") + "".join(rows)
    log = read(given(tmp_path, text.encode("gb18030")))
    assert not account(log)
    assert log.frame()["project"].unique().sort().to_list() == sorted(["千", "客服机器人"])


def test_mixed_encodings(tmp_path: Path) -> None:
    """One line in another encoding among UTF-8 ones is left out; the rest stays UTF-8."""
    row = ROW.replace("\n", ",café\n")
    head = HEADER.replace("\n", ",project\n")
    log = read(given(tmp_path, head.encode() + row.encode() * 3 + row.encode("latin-1") + row.encode()))
    assert account(log) == {"bytes that are not the file's encoding": 1}
    assert log.exclusions[0].examples == ("log.csv:5",)
    with pytest.raises(LogError, match="byte 3"):
        read(given(tmp_path, "caf\xe9;model\n1;2\n".encode("latin-1")))


def test_duplicate_ids(tmp_path: Path) -> None:
    """The first record that counts stays, even when an excluded one came before it."""
    head = "id," + HEADER
    rows = [
        "a,2026-10-01,,1,1",
        "a,2026-10-01,m,2,1",
        "a,2026-10-01,m,3,1",
        ",2026-10-01,m,4,1",
        ",2026-10-01,m,5,1",
    ]
    log = read(given(tmp_path, head + "\n".join(rows)))
    assert account(log) == {"no model named": 1, "a duplicate id (the first record is kept)": 1}
    assert log.frame()["input"].to_list() == [2, 4, 5]


def test_daylight_saving(tmp_path: Path) -> None:
    rows = ["2026-03-29 02:30:00", "2026-10-25 02:30:00", "2026-10-25 12:00:00"]
    content = HEADER + "".join(f"{t},m,1,1\n" for t in rows)
    log = read(given(tmp_path, content), zone="Europe/Berlin")
    assert account(log) == {"a local time that never was (clocks went forward)": 1}
    assert [t.hour for t in log.frame()["time"]] == [0, 11]
    assert any("1 local times occur twice" in note for note in log.notes)


def test_times_in_every_dress(tmp_path: Path) -> None:
    same = [
        "1790812800", "1790812800.0", "1790812800000", "1790812800000000", "1790812800000000000",
        "2026-10-01T00:00:00Z", "2026-10-01T02:00:00+02:00",
        "2026-09-30 19:00:00-0500", "2026-10-01 00:00:00+00",
        "2026-10-01 00:00:00", "2026-10-01T00:00", "2026-10-01",
        "2026/10/01 00:00:00", "2026-10-01 00:00:00.000 UTC",
    ]  # fmt: skip
    for text in same:
        log = read(given(tmp_path, HEADER + f"{text},m,1,1\n"))
        assert not account(log), text
        assert log.frame()["time"].dt.epoch("s").to_list() == [1790812800], text
    mixed = read(given(tmp_path, HEADER + "".join(f"{text},m,1,1\n" for text in same)))
    assert not account(mixed)
    assert mixed.frame()["time"].n_unique() == 1


def test_a_directory(tmp_path: Path) -> None:
    given(tmp_path, HEADER + ROW.replace("10-01", "10-02"), "a.csv")
    given(tmp_path, HEADER + ROW, "b.csv")
    log = read(tmp_path)
    assert [t.day for t in log.frame()["time"]] == [1, 2]
    assert not log.ordered
    given(tmp_path, "generation_id,created_at,tokens_prompt,tokens_completion,model_permaslug\n", "c.csv")
    with pytest.raises(LogError, match="different formats"):
        read(tmp_path)


def test_hostile_text_passes_as_text(tmp_path: Path) -> None:
    """What renders text makes it inert; reading changes nothing of it."""
    evil = "=cmd|' /C calc'!A0<script>\x1b[31m"
    log = read(given(tmp_path, HEADER + f"2026-10-01,{evil},1,1\n"))
    assert log.frame()["model"].to_list() == [evil]


@pytest.mark.parametrize(
    ("column", "values", "kept"),
    [
        ("model", pl.Series([["a"], ["b"]]), 0),
        ("model", pl.Series(["a", None], dtype=pl.Categorical), 1),
        ("prompt_tokens", pl.Series([[1], [2]]), 0),
        ("prompt_tokens", pl.Series([1.0, float("nan")]), 2),
        ("prompt_tokens", pl.Series([1, 2**63], dtype=pl.UInt64), 1),
        ("prompt_tokens", pl.Series([True, False]), 0),
        ("prompt_tokens", pl.Series([1, 2]).cast(pl.Duration("us")), 0),
        ("timestamp", pl.Series([1790812800.5, 1e30]), 1),
        ("timestamp", pl.Series([1790812800, None], dtype=pl.Int32), 1),
        ("timestamp", pl.Series([[1], [2]]), 0),
        ("cost", pl.Series([1e300, float("inf")]), 2),
    ],
)
def test_odd_types_in_parquet(tmp_path: Path, column: str, values: pl.Series, kept: int) -> None:
    sound = {
        "timestamp": ["2026-10-01"] * 2,
        "model": "m",
        "prompt_tokens": 1,
        "completion_tokens": 1,
        "cost": 0.1,
    }
    path = tmp_path / "log.parquet"
    pl.DataFrame(sound).with_columns(values.alias(column)).write_parquet(path)
    log = read(path)
    account(log)
    assert log.rows == kept


def test_a_changed_file_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pricewar.usage.read.HELD_ROWS", 1)
    path = given(tmp_path, HEADER + ROW * 3)
    log = read(path)
    assert log.frame().height == 3
    given(tmp_path, HEADER + ROW * 2)
    with pytest.raises(LogError, match="changed"):
        log.frame()
