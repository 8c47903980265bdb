"""Files that are easily read wrongly without a word: decimal commas, points between thousands, pages that are
missing or there twice, files of a folder that are no logs by their name."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from pricewar.errors import LogError
from pricewar.usage.bills.record import number
from pricewar.usage.invoice import Invoice, read_invoice
from pricewar.usage.read import read

COSTS = "start_time,end_time,amount_value,amount_currency,line_item,quantity\n"
DAY = "1790812800,1790899200"  # 2026-10-01
LOG = "timestamp,vendor,model,prompt_tokens,completion_tokens\n"
ROW = "2026-10-01T00:00:00Z,openai,gpt-5-mini,"


def costs(folder: Path, amounts: list[str], separator: str = ",") -> Invoice:
    path = folder / "costs.csv"
    rows = [f'{DAY},"{a}",usd,"gpt-5-mini, input",{i}' for i, a in enumerate(amounts)]
    text = COSTS + "\n".join(rows) + "\n"
    if separator != ",":
        rows = [f'{DAY.replace(",", ";")};{a};usd;"gpt-5-mini, input";{i}' for i, a in enumerate(amounts)]
        text = COSTS.replace(",", ";") + "\n".join(rows) + "\n"
    path.write_text(text)
    invoice = read_invoice(path)
    assert invoice.rows_in == len(invoice.lines) + invoice.excluded
    return invoice


def left_out(invoice: Invoice) -> dict[str, int]:
    return {e.cause.split(":")[0]: e.count for e in invoice.exclusions}


DECIMAL = "an amount with a decimal comma"
EITHER = "an amount whose comma may part thousands or decimals"


def test_nought_before_a_comma_is_no_thousand() -> None:
    for text in ("0,125", "-0,125", "00,125", "0,125,000"):
        with pytest.raises(ValueError, match="0,125"):
            number(text)
    assert number("1,125") == 1125
    assert number("10,125.50") == Fraction("10125.5")


def test_decimal_commas_are_left_out_and_said(tmp_path: Path) -> None:
    invoice = costs(tmp_path, ["0,576", "1,5", "1.234,50"])
    assert left_out(invoice) == {DECIMAL: 3}


def test_a_comma_that_may_be_either_beside_decimal_commas(tmp_path: Path) -> None:
    """12,345 is twelve thousand in a file without decimal commas, and nobody knows what beside them."""
    assert [line.amount for line in costs(tmp_path, ["12,345", "3.5", "1,234.50"]).lines] == [
        12345, Fraction("3.5"), Fraction("1234.5"),
    ]  # fmt: skip
    invoice = costs(tmp_path, ["12,345", "0,5", "7"])
    assert left_out(invoice) == {EITHER: 1, DECIMAL: 1}
    assert [line.amount for line in invoice.lines] == [7]


def test_a_comma_in_a_file_of_semicolons(tmp_path: Path) -> None:
    invoice = costs(tmp_path, ["12,345", "7.25"], ";")
    assert left_out(invoice) == {EITHER: 1}
    assert [line.amount for line in invoice.lines] == [Fraction("7.25")]
    assert tuple(invoice.exclusions[0].examples) == ("costs.csv:2",)


def test_counts_whose_point_or_comma_may_part_thousands(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(LOG + f'{ROW}100.000,5\n{ROW}17,5\n{ROW}"1,607",5\n{ROW}12.0,5\n')
    log = read(path)
    assert {e.cause.split(":")[0]: e.count for e in log.exclusions} == {
        "a count whose point or comma may part thousands": 2
    }
    assert log.frame()["input"].to_list() == [17, 12]


def test_three_decimals_throughout_are_no_thousands(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(LOG + f"{ROW}100.000,5.000\n{ROW}1607.000,1234.000\n")
    log = read(path)
    assert log.frame()["input"].to_list() == [100, 1607]


# --- pages ------------------------------------------------------------------------------------------------


def usage_page(day: int, more: bool) -> dict:
    start = 1790812800 + 86400 * day
    result = {"model": "gpt-5-mini", "input_tokens": 100, "output_tokens": 5, "num_model_requests": 1,
              "object": "organization.usage.completions.result"}  # fmt: skip
    bucket = {"object": "bucket", "start_time": start, "end_time": start + 86400, "results": [result]}
    return {"object": "page", "data": [bucket], "has_more": more, "next_page": "p" if more else None}


def costs_page(day: int, more: bool) -> dict:
    page = usage_page(day, more)
    amount = {"value": 1.5, "currency": "usd"}
    page["data"][0]["results"] = [{"amount": amount, "line_item": "gpt-5-mini, input"}]
    return page


@pytest.mark.parametrize("page", [usage_page, costs_page])
def test_a_last_page_that_is_missing_is_said(tmp_path: Path, page: Callable[[int, bool], dict]) -> None:
    def notes(*pages: dict) -> list[str]:
        path = tmp_path / "pages.json"
        held = list(pages)
        path.write_text(json.dumps(held if len(held) > 1 else held[0]))
        found = read(path) if page is usage_page else read_invoice(path)
        return [note for note in found.notes if "has_more" in note]

    assert len(notes(page(0, True))) == 1
    assert len(notes(page(0, True), page(1, True))) == 1
    assert notes(page(0, False)) == []
    assert notes(page(0, True), page(1, False)) == []


def test_a_page_twice_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(costs_page(0, False)))
    assert not any("twice" in note for note in read_invoice(tmp_path).notes)
    (tmp_path / "b.json").write_text(json.dumps(costs_page(0, False)))
    (note,) = [note for note in read_invoice(tmp_path).notes if "twice" in note]
    assert note.startswith("1 lines stand there once more")
    assert "(b.json), with amounts of 1.5 USD" in note
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text(json.dumps(usage_page(0, False)))
    (note,) = [note for note in read(tmp_path).notes if "twice" in note]
    assert note.startswith("1 rows are the same")


# --- folders and packed files -----------------------------------------------------------------------------


def test_what_is_not_read_in_a_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"{LOG}{ROW}100,5\n")
    assert not any("Not read" in note for note in read(tmp_path).notes)
    (tmp_path / "b").write_text(f"{LOG}{ROW}100,5\n")
    (tmp_path / "c.csv.zst").write_bytes(b"\x28\xb5\x2f\xfd")
    (tmp_path / "d.csv").symlink_to(tmp_path / "nowhere")
    (tmp_path / "._a.csv").write_bytes(b"\x00\x05\x16\x07")  # what a Mac leaves beside a file
    (tmp_path / ".DS_Store").write_bytes(b"\x00")
    (tmp_path / "november").mkdir()
    log = read(tmp_path)
    assert log.rows == 1
    (note,) = [note for note in log.notes if "Not read" in note]
    assert "._a.csv; b; c.csv.zst; d.csv; november, a folder." in note
    assert ".DS_Store" not in note
    (tmp_path / "a.csv").unlink()
    with pytest.raises(LogError, match=r"november, a folder"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("head", "name"), [(b"\x28\xb5\x2f\xfd\x04\x00", "zstd"), (b"BZh91AY", "bzip2"), (b"\xfd7zXZ\x00", "xz")]
)
def test_packed_files_are_told_by_their_name(tmp_path: Path, head: bytes, name: str) -> None:
    path = tmp_path / "log.csv.packed"
    path.write_bytes(head + bytes(range(200)))
    with pytest.raises(LogError, match=name):
        read(path)
