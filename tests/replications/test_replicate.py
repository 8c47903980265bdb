"""Every target of the fast tier, as `replicate` reports it; the long tier is marked slow."""

import pytest

from pricewar.errors import ConfigurationError, SolverError
from pricewar.games import replicate as module
from pricewar.games.replicate import replicate, targets

BY_SEARCH = {"T1", "T1b", "T2"}  # seconds of search; the papers' own tests hold the same figures


def test_fast_targets_agree():
    rows = list(replicate({t.id for t in targets() if not t.long} - BY_SEARCH))
    assert len(rows) >= 30
    assert [r for r in rows if not r.agrees] == []


@pytest.mark.slow
def test_all_targets_agree():
    rows = list(replicate(long=True))
    assert len(rows) == len(targets())
    assert [r for r in rows if not r.agrees] == []


def test_every_target_of_the_table_is_there():
    assert {t.id for t in targets()} >= {"T1", "T1b", "T2", "T3", "T4", "T5", "T6", "T7", "T8", "T9"}


def test_unknown_id_is_named():
    with pytest.raises(ConfigurationError, match="T77"):
        replicate(["T77"])


def test_a_solver_that_fails_is_a_row(monkeypatch):
    def fail():
        raise SolverError("no luck", remedy="try again")

    one = module.Target("T0", "m", "w", 1.0, 0.1, "analytic", fail)
    monkeypatch.setattr(module, "targets", lambda: (one,))
    seen = []
    (row,) = replicate(progress=seen.append)
    assert not row.agrees
    assert "no luck" in row.note
    assert seen == [row]
