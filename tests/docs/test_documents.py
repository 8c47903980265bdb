"""What the documents say is what the code does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXTS = sorted(
    p for p in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("bench/*.md")] if p.exists()
)


def test_the_command_line_page_is_what_the_commands_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    from generate import cli_page

    assert (ROOT / "docs" / "cli.md").read_text(encoding="utf-8") == cli_page(), "run `make docs`"


@pytest.mark.parametrize("text", TEXTS, ids=lambda p: p.name)
def test_links_between_documents_lead_somewhere(text: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", text.read_text(encoding="utf-8")):
        assert (text.parent / target).exists(), f"{text.name}: {target}"


def test_the_readme_names_every_room() -> None:
    rooms = {
        p.name for p in (ROOT / "src" / "pricewar").iterdir() if p.is_dir() and (p / "__init__.py").exists()
    }
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    missing = {room for room in rooms if f"`{room}/`" not in readme}
    assert not missing


def test_every_room_says_what_it_is_for() -> None:
    for room in (ROOT / "src" / "pricewar").rglob("__init__.py"):
        assert room.read_text(encoding="utf-8").startswith('"""'), room


def test_commands_of_the_readme_exist() -> None:
    from pricewar.cli import COMMANDS

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`pricewar ([a-z]+)", readme))
    assert named <= set(COMMANDS)
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    assert set(re.findall(r"`make ([a-z-]+)`", readme)) <= targets


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    code = (
        "import sys; import pricewar.cli; from click.testing import CliRunner; "
        "CliRunner().invoke(pricewar.cli.cli, ['--help']); "
        "heavy = {'polars', 'numpy', 'numba', 'scipy', 'pydantic', 'genai_prices', 'jinja2', 'rich'}; "
        "print(','.join(sorted(heavy & set(sys.modules))))"
    )
    reply = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert reply.stdout.strip() == ""


def test_pins_carry_hashes_and_no_addresses() -> None:
    for name in ("requirements.txt", "requirements-dev.txt", "requirements-gateway.txt"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "--hash=sha256:" in text
        assert "://" not in text
        assert "--index" not in text
        assert "--find-links" not in text


def test_notation_names_what_the_code_has() -> None:
    from pricewar.units import METERS

    notation = (ROOT / "NOTATION.md").read_text(encoding="utf-8")
    for meter in METERS:
        assert f"`{meter}`" in notation
    for reference in re.findall(r"`(pricewar(?:\.\w+)+)`", notation):
        module, _, name = reference.rpartition(".")
        home = __import__(module, fromlist=[name])
        assert hasattr(home, name) or __import__(reference), reference
