"""The records are what the preparation makes of the raw tables, where those are present."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RAW = ROOT.parent / "shared" / "data"


@pytest.mark.skipif(not RAW.exists(), reason="the raw tables (../shared/data) are not here")
def test_the_records_can_be_made_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    import prepare_history

    monkeypatch.setattr(prepare_history, "OUT", tmp_path)
    assert prepare_history.main([]) == 0
    kept = ROOT / "src" / "pricewar" / "futures" / "facts"
    for made in sorted(tmp_path.glob("*.csv")):
        assert made.read_text("utf-8") == (kept / made.name).read_text("utf-8"), (
            f"{made.name}: run python docs/prepare_history.py"
        )
    assert len(list(tmp_path.glob("*.csv"))) == 4


def test_without_the_raw_tables_the_preparation_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    import prepare_history

    monkeypatch.setattr(prepare_history, "RAW", tmp_path / "nowhere")
    assert prepare_history.main([]) == 3
    assert "not here" in capsys.readouterr().err
