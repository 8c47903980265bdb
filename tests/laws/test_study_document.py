"""The example of docs/study.md, run as a reader would."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

TEXT = (Path(__file__).parents[2] / "docs" / "study.md").read_text(encoding="utf-8")


def test_the_example_runs(tmp_path: Path) -> None:
    pytest.importorskip("xarray")
    script = tmp_path / "learning.py"
    script.write_text("\n".join(re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)), encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-W", "error", script.name],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert run.returncode == 0, run.stderr
    assert "variance_reduction" in run.stdout
    assert (tmp_path / "learning.study" / "study.json").exists()
    assert (tmp_path / "learning.parquet").exists()


def test_every_method_stands_in_the_table() -> None:
    from pricewar.study.design import METHODS

    assert (
        tuple(re.findall(r"^\| `(\w+)`(?: \(default\))? \|", TEXT.partition("## Draws")[2], re.M)) == METHODS
    )
