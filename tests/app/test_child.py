"""Work in a process of its own: answered, cancelled at once, its end told whatever it was."""

from __future__ import annotations

import threading
from pathlib import Path

import made_up_work
import pytest
from serving import HANG, alive, until

from pricewar.app.child import AT_ONCE, BrokenError, run
from pricewar.app.session import Job
from pricewar.app.war_runs import StoppedError
from pricewar.errors import ConfigurationError


def test_it_answers_and_tells_how_far_it_is() -> None:
    said = list(run(made_up_work.adds, (2, 3), Job(1)))
    assert said == [("progress", 0), ("progress", 1), ("progress", 2), ("done", 5)]


def test_it_is_killed_when_it_is_no_longer_wanted(tmp_path: Path) -> None:
    job, who = Job(1), tmp_path / "who"
    said = run(made_up_work.waits, (str(who),), job)
    assert next(said) == ("progress", "begun")
    job.cancel()
    with pytest.raises(StoppedError):
        next(said)
    assert not alive(int(who.read_text()))


def test_it_is_killed_when_nobody_listens_any_more(tmp_path: Path) -> None:
    who = tmp_path / "who"
    said = run(made_up_work.waits, (str(who),), Job(1))
    assert next(said) == ("progress", "begun")
    said.close()
    assert not alive(int(who.read_text()))


def test_a_mistake_is_told_as_it_is() -> None:
    with pytest.raises(ConfigurationError, match="no such thing") as told:
        list(run(made_up_work.mistaken, (), Job(1)))
    assert (told.value.where, told.value.remedy) == ("here", "another")


@pytest.mark.parametrize("work", [made_up_work.broken, made_up_work.dies])
def test_a_crash_is_told(work: object) -> None:
    with pytest.raises(BrokenError):
        list(run(work, (), Job(1)))  # type: ignore[arg-type]


def test_there_are_only_so_many_and_the_next_waits() -> None:
    for _ in range(2):
        assert AT_ONCE.acquire(timeout=HANG)
    job = Job(1)
    threading.Timer(0.3, job.cancel).start()
    with pytest.raises(StoppedError):
        list(run(made_up_work.adds, (2, 3), job))
    AT_ONCE.release()
    assert list(run(made_up_work.adds, (2, 3), Job(2)))[-1] == ("done", 5)
    AT_ONCE.release()


def test_it_ends_with_the_server(tmp_path: Path) -> None:
    """A server that is killed leaves no process behind."""
    import subprocess
    import sys

    who = tmp_path / "who"
    program = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "import made_up_work, os\n"
        "from pricewar.app.child import run\n"
        "from pricewar.app.session import Job\n"
        "if __name__ == '__main__':\n"
        f"    said = run(made_up_work.waits, ({str(who)!r},), Job(1))\n"
        "    next(said)\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    script = tmp_path / "server.py"
    script.write_text(program)
    assert subprocess.run([sys.executable, str(script)], timeout=HANG, check=False).returncode == -9
    pid = int(who.read_text())
    until(lambda: not alive(pid))
