"""Every reader against rows nobody would write: `python -m tests.readers.fuzz --rows 10000000 --seed 1`.

Files are made batch by batch, each from (seed, batch) alone, so a run can be continued (`--from-batch`) and a
fault repeated. Most files have sound structure and bad values: for those the number of records read must be
the number written. The others are damaged byte by byte and may end in a `DataError`, never in anything else.
In every case rows in = rows kept + rows excluded; a sample of the logs is billed, and every token kept must
be in the bill.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import polars as pl

from pricewar.errors import DataError
from pricewar.units import METERS, TOKEN_METERS
from pricewar.usage import read as reading
from pricewar.usage import sources
from pricewar.usage.bills import BILLS
from pricewar.usage.invoice import KINDS, Invoice, read_invoice
from pricewar.usage.log import Log
from pricewar.usage.table import ABSURD, SCHEMA

sys.path.insert(0, str(Path(__file__).parent))  # as a module and as a test alike
from fuzz_shapes import DAMAGE, NASTY, NASTY_JSON, SHAPES, Shape

BATCH = 5_000
CASTS = (*(pl.String,) * 16, pl.Int64, pl.Float64, pl.Categorical, pl.Binary)
"""What a column of a Parquet file is cast to; values that do not fit become null."""
BILLED_EVERY = 10
"""One log in so many is billed, which costs more than reading it."""

# --- files ------------------------------------------------------------------------------------------------


def _values(shape: Shape, dice: random.Random, rows: int, nasty: tuple[str, ...]) -> Iterator[list[str]]:
    """Sound rows of which one half has one to three values that are not."""
    names = list(shape.fields)
    sound = [[dice.choice(v) if v else "" for v in shape.fields.values()] for _ in range(256)]
    at = names.index(shape.id) if shape.id else None
    width, numbers, chance = len(names), range(256), dice.random
    for k in range(rows):
        row = sound[numbers[int(chance() * 256)]].copy()
        if at is not None and chance() > 0.01:
            row[at] = f"i{k}"
        if chance() < 0.5:
            for _ in range(1 + int(chance() * 3)):
                row[int(chance() * width)] = nasty[int(chance() * len(nasty))]
        yield row


def _cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\n\r') else text


def _json_value(text: str) -> str:
    """A sound value as JSON: numbers as numbers, texts as texts."""
    try:
        return text if str(json.loads(text)) == text and text[:1] not in "{[" else json.dumps(text)
    except ValueError:
        return json.dumps(text, ensure_ascii=False)


def written(shape: Shape, dice: random.Random, rows: int) -> bytes:
    """A file of the shape with so many records, its structure sound."""
    if shape.kind == "csv":
        encoding = dice.choice(shape.encodings)
        # Bytes of other scripts would make GB18030 a guess, which is refused.
        nasty = NASTY if encoding != "gb18030" else tuple(t for t in NASTY if t.isascii() or t[-1] in "s款３")
        lines = [",".join(shape.fields)]
        lines += [",".join([_cell(c) for c in row]) for row in _values(shape, dice, rows, nasty)]
        text = "\n".join(lines) + "\n"
        return gzip.compress(text.encode(), 1) if encoding == "gzip" else text.encode(encoding)
    if shape.kind == "parquet":
        return _parquet(shape, list(_values(shape, dice, rows, NASTY)), dice)
    known = {v: v if n in shape.raw else _json_value(v) for n, vs in shape.fields.items() for v in vs}
    keys = [json.dumps(name, ensure_ascii=False) + ": " for name in shape.fields]
    marked = tuple("\x00" + value for value in NASTY_JSON)  # JSON already, unlike a text that looks the same
    records = []
    for row in _values(shape, dice, rows, marked):
        cells = [v[1:] if v[:1] == "\x00" else known.get(v) or json.dumps(v) for v in row]
        records.append("{" + ", ".join(map(str.__add__, keys, cells)) + "}")
    text = shape.wrap(records) if shape.wrap else "\n".join(records) + "\n"
    return text.encode()


def _parquet(shape: Shape, rows: list[list[str]], dice: random.Random) -> bytes:
    import io

    frame = pl.DataFrame(rows, schema=dict.fromkeys(shape.fields, pl.String), orient="row")
    frame = frame.with_columns(pl.col(name).cast(dice.choice(CASTS), strict=False) for name in frame.columns)
    sink = io.BytesIO()
    frame.write_parquet(sink, compression="lz4")
    return sink.getvalue()


def damaged(data: bytes, dice: random.Random) -> bytes:
    for _ in range(dice.randint(1, 6)):
        at = dice.randrange(len(data) + 1)
        kind = dice.randrange(5)
        if kind == 0:
            data = data[:at]
        elif kind == 1:
            data = data[:at] + bytes([dice.randrange(256)]) + data[at + 1 :]
        elif kind == 2:
            data = data[:at] + data[at + dice.randrange(200) :]
        else:
            data = data[:at] + dice.choice(DAMAGE) + data[at + dice.randrange(4) :]
    return data


# --- what must hold ---------------------------------------------------------------------------------------


def check_log(log: Log) -> None:
    frame = log.frame()
    assert frame.schema == SCHEMA
    assert log.rows_in == log.rows + log.excluded
    assert log.rows == frame.height
    assert all(e.cause and e.count > 0 and e.examples for e in log.exclusions)
    assert frame["time"].is_sorted()
    assert not frame["time"].null_count()
    assert not frame["model"].null_count()
    for meter in METERS:
        column = frame[meter]
        assert not column.null_count()
        assert not frame.height or (column.min() >= 0 and column.max() <= ABSURD)  # type: ignore[operator]


def check_invoice(invoice: Invoice) -> None:
    assert invoice.rows_in == len(invoice.lines) + invoice.excluded
    assert all(e.cause and e.count > 0 and e.examples for e in invoice.exclusions)
    for line in invoice.lines:
        assert type(line.amount) is Fraction
        assert line.kind in KINDS
        assert line.meter is None or line.meter in METERS
        assert line.quantity is None or type(line.quantity) is Fraction
        assert line.list_amount is None or type(line.list_amount) is Fraction
        assert line.currency
        assert line.start is None or line.end is None or line.start <= line.end


@cache
def _catalogue() -> tuple[Any, Any]:
    from pricewar.offers.catalogue import load_catalogue

    catalogue = load_catalogue()
    return catalogue, next(iter(catalogue.offers.values()))


def check_bill(log: Log) -> None:
    """The bill's own account has every record, and every token kept."""
    from pricewar.billing.desk import compare
    from pricewar.billing.document import document

    catalogue, offer = _catalogue()
    told = document(compare(log, catalogue, [offer]), log)["log"]
    assert told["rows_in"] == told["rows"] + sum(e["count"] for e in told["exclusions"])
    assert told["rows_in"] == log.rows_in
    assert told["tokens"] == int(log.frame().select(pl.sum_horizontal(TOKEN_METERS).sum()).item())


@dataclass
class Tally:
    """What a run has seen, by shape."""

    rows: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)
    excluded: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)
    billed: int = 0
    files: int = 0
    damaged: int = 0

    def add(self, other: Tally) -> None:
        for name in ("rows", "kept", "excluded", "refused", "causes"):
            getattr(self, name).update(getattr(other, name))
        self.billed += other.billed
        self.files += other.files
        self.damaged += other.damaged


def run_batch(seed: int, batch: int, path: Path, tally: Tally, rows: int = BATCH) -> int:
    """Make, read and check one file; the number of its records."""
    dice = random.Random(f"{seed}/{batch}")
    shape = SHAPES[batch % len(SHAPES)]
    broken = dice.random() < 0.1
    if broken:
        rows = max(1, rows // 10)
    data = written(shape, dice, rows)
    path.write_bytes(damaged(data, dice) if broken else data)
    # Small pieces and small memories bring the edges of chunks, and reading twice, into every format.
    sources.BLOCK = dice.choice((2**16, 2**20, 24 * 2**20))
    reading.HELD_ROWS = dice.choice((1000, 2_000_000, 2_000_000))
    name = dice.choice((None, shape.format)) if not broken else shape.format
    tally.files += 1
    tally.damaged += broken
    tally.rows[shape.name] += rows
    if shape.format in BILLS:
        try:
            invoice = read_invoice(path, format=name)
        except DataError:
            assert broken, "a file of sound structure was refused"
            tally.refused[shape.name] += rows
            return rows
        check_invoice(invoice)
        assert broken or (invoice.rows_in, invoice.format) == (rows, shape.format)
        _add(tally, shape, len(invoice.lines), invoice)
        if dice.random() < 0.7:
            return rows  # a bill is read as a log, too, now and then
    try:
        log = reading.read(path, format=name)
    except DataError as error:
        money_only = shape.format in BILLS and "pricewar reconcile" in str(error)
        if not (broken or money_only):
            raise AssertionError("a file of sound structure was refused") from error
        if not money_only:
            tally.refused[shape.name] += rows
        return rows
    check_log(log)
    assert broken or (log.rows_in, log.format) == (rows, shape.format)
    if shape.format not in BILLS:
        _add(tally, shape, log.rows, log)
    if log.rows and dice.random() < 1 / BILLED_EVERY:
        try:
            check_bill(log)
            tally.billed += log.rows
        except DataError:
            pass  # more tokens than can be counted
    return rows


def _add(tally: Tally, shape: Shape, kept: int, account: Log | Invoice) -> None:
    tally.kept[shape.name] += kept
    tally.excluded[shape.name] += account.excluded
    for exclusion in account.exclusions:
        tally.causes[exclusion.cause] += exclusion.count


def run(
    rows: int,
    seed: int,
    first: int = 0,
    batch_rows: int = BATCH,
    step: int = 1,
    show: Callable[[int, int], None] | None = None,
) -> Tally:
    """Batches from `first` on, every `step`-th, until `rows` records were read.

    Raises:
        AssertionError: with the batch to repeat, whatever went wrong.
    """
    tally, done, batch = Tally(), 0, first
    kept = sources.BLOCK, reading.HELD_ROWS
    try:
        with tempfile.TemporaryDirectory() as folder:
            while done < rows:
                try:
                    done += run_batch(seed, batch, Path(folder) / "log", tally, batch_rows)
                except KeyboardInterrupt:
                    print(f"\nstopped at {done:,} rows; go on with --from-batch {batch}", file=sys.stderr)
                    return tally
                except BaseException as error:
                    shape = SHAPES[batch % len(SHAPES)].name
                    raise AssertionError(
                        f"{shape}: {type(error).__name__}: {error}; "
                        f"repeat with --seed {seed} --from-batch {batch} --rows 1 --batch {batch_rows}"
                    ) from error
                batch += step
                if show is not None:
                    show(done, batch)
    finally:
        sources.BLOCK, reading.HELD_ROWS = kept
    return tally


def _job(given: tuple[int, int, int, int, int]) -> Tally:
    rows, seed, first, batch_rows, step = given
    last = time.monotonic()

    def show(done: int, batch: int) -> None:
        nonlocal last
        if first % step == 0 and time.monotonic() - last > 5:
            last = time.monotonic()
            print(
                f"\r{done * step:,} of {rows * step:,} rows, batch {batch}",
                end="",
                file=sys.stderr,
                flush=True,
            )

    return run(rows, seed, first, batch_rows, step, show)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--from-batch", type=int, default=0)
    parser.add_argument("--batch", type=int, default=BATCH, help="records to a file")
    parser.add_argument("--jobs", type=int, default=1, help="processes, each with every so-many-th batch")
    given = parser.parse_args()
    begun = time.monotonic()
    each = -(-given.rows // given.jobs)
    work = [(each, given.seed, given.from_batch + j, given.batch, given.jobs) for j in range(given.jobs)]
    tally = Tally()
    if given.jobs == 1:
        tally = _job(work[0])
    else:
        os.environ["POLARS_MAX_THREADS"] = "1"  # for the processes still to be made
        with get_context("spawn").Pool(given.jobs) as pool:
            for part in pool.imap_unordered(_job, work):
                tally.add(part)
    print(file=sys.stderr)
    print(f"{'shape':28} {'rows':>12} {'kept':>12} {'excluded':>12} {'in refused files':>17}")
    for name in sorted(tally.rows):
        counts = (tally.rows[name], tally.kept[name], tally.excluded[name], tally.refused[name])
        print(f"{name:28} {counts[0]:12,} {counts[1]:12,} {counts[2]:12,} {counts[3]:17,}")
    sums = [sum(c.values()) for c in (tally.rows, tally.kept, tally.excluded, tally.refused)]
    print(f"{'all':28} {sums[0]:12,} {sums[1]:12,} {sums[2]:12,} {sums[3]:17,}")
    print(
        f"{tally.files:,} files ({tally.damaged:,} damaged), {len(tally.causes)} causes, "
        f"{tally.billed:,} rows billed, {time.monotonic() - begun:,.0f} s; seed {given.seed}: "
        "no crash, no silent drop"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
