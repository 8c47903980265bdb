"""A study gives the same bytes wherever, however often and however interrupted it ran."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pricewar.errors import ConfigurationError, DataError, PricewarError, SolverError
from pricewar.study import task
from pricewar.study.design import Choice, Layout, Outcome, Uniform
from pricewar.study.ensemble import Study, load
from pricewar.study.pool import Processes
from pricewar.study.results import Results
from pricewar.study.task import declares

HANG = 600.0
"""Seconds after which a test that waits has failed."""
# The worker stands in a module of its own: a spawned process imports nothing but that.
TOY = """
import os, time
import numpy as np
from pricewar.errors import SolverError
from pricewar.study.design import Choice, Layout, LogUniform, Outcome, Uniform
from pricewar.study.ensemble import Study
from pricewar.study.task import declares


def layout(constants):
    months = constants["months"]
    return Layout(
        {
            "profit": Outcome((), "CNY"),
            "stage": Outcome(("month",), dtype="int8"),
            "price": Outcome(("month",)),
        },
        {"month": range(months)},
    )


@declares(layout)
def market(task):
    p = task["parameters"]
    if "log" in p:  # one byte for each run of the worker
        with open(p["log"], "ab") as file:
            file.write(b".")
    while task["member"] >= 4 and "gate" in p and not os.path.exists(p["gate"]):
        time.sleep(0.005)
    if p.get("fails") == task["member"]:
        raise SolverError("no price clears the market", where="month 3")
    if p.get("dies") == task["member"]:
        os._exit(9)
    noise = np.random.default_rng(task["seed"]).normal(size=p["months"])
    price = p["cost"] + p["floor"] + noise * (2 if p["kind"] == "wild" else 1)
    return {"profit": price.sum(), "stage": noise > 0, "price": price}


THREADS = Layout({name: Outcome(dtype="int64") for name in ("omp", "numba", "pid")})


@declares(THREADS)
def threads(task):
    names = {"omp": "OMP_NUM_THREADS", "numba": "NUMBA_NUM_THREADS"}
    return {k: int(os.environ.get(v, "-1")) for k, v in names.items()} | {"pid": os.getpid()}


def study(members=24, seed=3, method="sobol", version="toy", **constants):
    return Study(
        market,
        {"as it is": {"floor": 0.0}, "price floor": {"floor": 0.5}},
        {"cost": LogUniform(1, 3), "kind": Choice(("calm", "wild"))},
        members,
        seed,
        {"months": 6} | constants,
        method=method,
        version=version,  # one of its own: an edit of pricewar while the tests run is no other toy
    )


if __name__ == "__main__":
    import json, sys

    constants, store, workers = json.loads(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    study(**constants).run(store, workers, batch=1)
"""


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "study_toy.py").write_text(TOY, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path / "toy"))
    monkeypatch.delitem(sys.modules, "study_toy", raising=False)
    import importlib

    return importlib.import_module("study_toy")


def digest(found: Results) -> str:
    """Of every byte of the results, names, kinds and shapes included."""
    told = hashlib.sha256(json.dumps([found.policies, found.seeds.tolist()]).encode())
    for name, values in {**found.draws, **found.outcomes}.items():
        told.update(f"{name} {values.dtype} {values.shape}".encode() + values.tobytes())
    return told.hexdigest()


def files(store: Path) -> dict[str, bytes]:
    return {str(p.relative_to(store)): p.read_bytes() for p in store.rglob("*") if p.is_file()}


def test_results_do_not_depend_on_where_or_in_which_pieces_they_ran(toy: Any, tmp_path: Path) -> None:
    here = digest(toy.study().run(workers=0))
    assert digest(toy.study().run(workers=0, batch=5)) == here
    assert digest(toy.study().run(tmp_path / "one", workers=0, batch=7)) == here
    with Processes(2) as pool:
        assert digest(toy.study().run(workers=pool)) == here
        assert digest(toy.study().run(tmp_path / "two", workers=pool, batch=7)) == here
    with ThreadPoolExecutor(2) as lent:
        assert digest(toy.study().run(workers=lent)) == here
    assert digest(load(tmp_path / "two")) == here
    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_a_member_draws_the_same_under_every_policy(toy: Any) -> None:
    study = toy.study()
    for member in range(24):
        one, other = study.task("as it is", member), study.task("price floor", member)
        assert one["seed"] == other["seed"]
        assert {**one["parameters"], "floor": 0.5} == other["parameters"]
    found = study.run(workers=0)
    gap = found.outcomes["price"][1] - found.outcomes["price"][0]
    assert gap == pytest.approx(np.full((24, 6), 0.5))
    once = study.once("price floor", 5)
    assert all((once[name] == found.outcomes[name][1, 5]).all() for name in once)


def test_a_finished_store_is_read_and_nothing_runs_again(toy: Any, tmp_path: Path) -> None:
    log = tmp_path / "log"
    study = toy.study(log=str(log))
    first, said = study.run(tmp_path / "s", workers=0), []
    before = files(tmp_path / "s")
    again = study.run(tmp_path / "s", workers=0, progress=lambda done, total: said.append((done, total)))
    assert digest(again) == digest(first)
    assert files(tmp_path / "s") == before
    assert len(log.read_bytes()) == 48
    assert said == [(48, 48)]


@pytest.mark.parametrize(
    ("blow", "workers"), [("SIGKILL", 2), ("SIGINT", 2), ("SIGINT", 0)], ids=lambda value: str(value)
)
@pytest.mark.skipif(os.name != "posix", reason="signals as Unix has them")
def test_a_run_killed_midway_goes_on_to_the_same_bytes(
    toy: Any, tmp_path: Path, blow: str, workers: int
) -> None:
    log, store, gate = tmp_path / "log", tmp_path / "s", tmp_path / "gate"
    log.touch()
    # Sobol' points need SciPy, whose import takes longer than the run.
    constants = {"members": 16, "method": "random", "log": str(log), "gate": str(gate)}
    command = [sys.executable, toy.__file__, json.dumps(constants), str(store), str(workers)]
    kept, at_work = 4, max(workers, 1)  # members 0 to 3 finish, and every process is held at a later one
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as run:
        until = time.monotonic() + HANG
        while len(list(store.glob("tasks/*/*.npz"))) < kept or len(log.read_bytes()) < kept + at_work:
            assert run.poll() is None, run.stderr and run.stderr.read()
            assert time.monotonic() < until
            time.sleep(0.005)
        if blow == "SIGINT":  # as Ctrl-C does, to the workers too
            os.killpg(run.pid, signal.SIGINT)
        else:
            run.kill()
        # The pipe closes only when the workers, who hold it too, have ended.
        said = run.communicate(timeout=HANG)[1]
    assert run.returncode == -signal.Signals[blow]
    assert said.count("Traceback") == (blow == "SIGINT"), said
    assert len(list(store.glob("tasks/*/*.npz"))) == kept
    assert len(log.read_bytes()) == kept + at_work
    with pytest.raises(ConfigurationError, match="28 of 32 runs are missing"):
        load(store)

    gate.touch()
    subprocess.run(command, check=True, timeout=HANG)
    # Each process lost the task it was at, and nothing else ran twice.
    assert len(log.read_bytes()) == 32 + at_work
    assert digest(load(store)) == digest(toy.study(16, method="random").run(workers=0))
    assert not list(store.rglob("*.part"))


def test_a_run_stopped_by_its_progress_goes_on(toy: Any, tmp_path: Path) -> None:
    said: list[tuple[int, int]] = []

    def stop(done: int, total: int) -> None:
        said.append((done, total))
        if done >= 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        toy.study().run(tmp_path / "s", workers=2, progress=stop, batch=2)
    assert [done for done, _ in said] == sorted({done for done, _ in said})
    assert {total for _, total in said} == {48}
    found = toy.study().run(tmp_path / "s", workers=0, progress=lambda done, _: said.append((done, 0)))
    assert digest(found) == digest(toy.study().run(workers=0))


def test_a_store_grows_by_members_and_policies(toy: Any, tmp_path: Path) -> None:
    log = tmp_path / "log"
    small, large = toy.study(10, log=str(log)), toy.study(24, log=str(log))
    one = small.run(tmp_path / "s", workers=0)
    two = large.run(tmp_path / "s", workers=0, batch=9)
    assert len(log.read_bytes()) == 48
    assert digest(two) == digest(toy.study(24).run(workers=0))
    assert digest(small.run(tmp_path / "s", workers=0)) == digest(one)
    assert load(tmp_path / "s").members == 24
    wider = toy.study(24, log=str(log))
    wider.policies["higher"] = {"floor": 0.9}
    three = wider.run(tmp_path / "s", workers=0)
    assert len(log.read_bytes()) == 72
    assert three.policies == ("as it is", "price floor", "higher")
    assert digest(toy.study(24, log=str(log)).run(tmp_path / "s", workers=0)) == digest(two)


def test_another_study_in_an_old_folder_is_refused(toy: Any, tmp_path: Path) -> None:
    def study(**other: Any) -> Study:
        arguments: dict[str, Any] = {
            "worker": toy.market,
            "policies": {"as it is": {"floor": 0.0}},
            "uncertainties": {"cost": Uniform(1, 3), "kind": Choice(("calm", "wild"))},
            "members": 8,
            "seed": 3,
            "constants": {"months": 6, "step": 1},
            "version": "toy",
        }
        return Study(**{**arguments, **other})

    study().run(tmp_path / "s", workers=0)
    before = files(tmp_path / "s")
    swapped = {"kind": Choice(("calm", "wild")), "cost": Uniform(1, 3)}
    for other, what in (
        ({"seed": 4}, r"another seed \(3 there, 4 now\)"),
        ({"constants": {"months": 7}}, "other constants"),
        ({"constants": {"months": 6, "fails": -1}}, "other constants"),
        ({"constants": {"months": 6, "step": True}}, "other constants"),
        ({"uncertainties": {"cost": Uniform(1, 4), "kind": Choice(("calm", "wild"))}}, "other uncertainties"),
        ({"uncertainties": swapped}, "other uncertainties"),
        ({"method": "random"}, "another way of drawing"),
        ({"policies": {"as it is": {"floor": 0.1}}}, "policy “as it is” pulls other levers"),
        ({"version": "another day"}, "the worker's code has changed"),
        ({"worker": "study_toy:threads"}, "another worker"),
    ):
        with pytest.raises(ConfigurationError, match=what):
            study(**other).run(tmp_path / "s", workers=0)
    assert files(tmp_path / "s") == before

    study(method="latin").run(tmp_path / "latin", workers=0)
    with pytest.raises(ConfigurationError, match="draws all anew"):
        study(method="latin", members=9).run(tmp_path / "latin", workers=0)

    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").touch()
    with pytest.raises(ConfigurationError, match="holds no study"):
        study().run(tmp_path / "other", workers=0)
    with pytest.raises(ConfigurationError, match="no study here"):
        load(tmp_path / "other")
    for text in ("[]", "{}", '{"format": 99}'):
        (tmp_path / "other" / "study.json").write_text(text, encoding="utf-8")
        (tmp_path / "other" / "members.json").write_text("{}", encoding="utf-8")
        with pytest.raises(ConfigurationError, match="is no study's"):
            study().run(tmp_path / "other", workers=0)
    (tmp_path / "other" / "study.json").write_text("{", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load(tmp_path / "other")
    with pytest.raises(ConfigurationError, match="cannot be made"):
        study().run(tmp_path / "other" / "thesis.txt", workers=0)


def test_an_edit_of_the_workers_code_makes_another_study(toy: Any, tmp_path: Path) -> None:
    toy.study(4, method="random", version=None).run(tmp_path / "s", workers=0)
    source = Path(toy.__file__)
    source.write_text(source.read_text(encoding="utf-8").replace("+ noise", "+ 2 * noise"), encoding="utf-8")
    # Hashes are kept for the life of a process, as loaded code is.
    code = "import study_toy, sys; study_toy.study(4, 3, 'random', None).run(sys.argv[1], 0)"
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "s")],
        cwd=source.parent,
        capture_output=True,
        text=True,
        timeout=HANG,
    )
    assert run.returncode == 1
    changed = re.search(r"code has changed \(study_toy (\w+), .* there, study_toy (\w+), ", run.stderr)
    assert changed, run.stderr
    assert changed[1] != changed[2]


def test_a_file_that_is_not_whole_is_computed_again_and_an_alien_one_refused(
    toy: Any, tmp_path: Path
) -> None:
    study = toy.study()
    whole = digest(study.run(tmp_path / "s", workers=0, batch=8))
    first, second, *_ = sorted((tmp_path / "s").glob("tasks/*/*.npz"))
    content = first.read_bytes()
    for broken in (b"", content[: len(content) // 2], content[:200] + b"\xff" + content[201:]):
        first.write_bytes(broken)
        assert digest(study.run(tmp_path / "s", workers=0, batch=8)) == whole
        assert first.read_bytes() == content
    where = np.random.default_rng(0).integers(len(content), size=40)
    for at in where.tolist():
        first.write_bytes(content[:at] + bytes([content[at] ^ 0x55]) + content[at + 1 :])
        assert digest(study.run(tmp_path / "s", workers=0, batch=8)) == whole
    (first.parent / f".{first.name}.abc.part").write_bytes(b"half")
    assert digest(study.run(tmp_path / "s", workers=0)) == whole
    assert not list((tmp_path / "s").rglob("*.part"))
    first.write_bytes(second.read_bytes())
    with pytest.raises(DataError, match="belongs to another study"):
        study.run(tmp_path / "s", workers=0)


def test_a_folder_in_use_is_refused(toy: Any, tmp_path: Path) -> None:
    pytest.importorskip("fcntl")

    def second(done: int, _: int) -> None:
        if done:
            with pytest.raises(ConfigurationError, match="another run is working"):
                toy.study().run(tmp_path / "s", workers=0)

    toy.study().run(tmp_path / "s", workers=0, progress=second)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_worker_that_fails_is_named_and_the_rest_is_kept(toy: Any, tmp_path: Path, workers: int) -> None:
    study = toy.study(fails=5)
    with pytest.raises(PricewarError) as caught:
        study.run(tmp_path / "s", workers=workers, batch=1)
    assert caught.value.where == "policy “as it is”, member 5"
    assert "no price clears the market" in str(caught.value)
    assert "study.once('as it is', 5)" in str(caught.value)
    assert caught.value.exit_code == SolverError.exit_code
    assert "Traceback" in caught.value.__notes__[0]
    assert len(list((tmp_path / "s").glob("tasks/*/*.npz"))) == 5
    with pytest.raises(SolverError, match="month 3"):
        study.once("as it is", 5)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_store_that_cannot_be_written_is_named(toy: Any, tmp_path: Path, workers: int) -> None:
    toy.study(1).run(tmp_path / "s", workers=0)
    shutil.rmtree(tmp_path / "s" / "tasks")
    (tmp_path / "s" / "tasks").touch()  # a file where a folder should be: that stops root, too
    with pytest.raises(PricewarError, match=r"\.npz: cannot be written"):
        toy.study(1).run(tmp_path / "s", workers=workers)


def test_a_process_that_dies_is_told_and_the_run_can_go_on(toy: Any, tmp_path: Path) -> None:
    with pytest.raises(PricewarError, match="a process ended before its task did"):
        toy.study(dies=9).run(tmp_path / "s", workers=1, batch=3)
    assert list((tmp_path / "s").glob("tasks/*/000000-000002.npz"))


def test_processes_have_one_thread_each_and_leave_this_ones_settings(
    toy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("NUMBA_NUM_THREADS", raising=False)
    found = Study("study_toy:threads", {"p": {}}, members=6).run(workers=2)
    assert (found.outcomes["omp"] == 1).all()
    assert (found.outcomes["numba"] == 1).all()
    assert os.getpid() not in found.outcomes["pid"]
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "NUMBA_NUM_THREADS" not in os.environ


def test_tasks_grow_to_about_a_second(toy: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock on which a run of the worker takes a 64th."""
    clock = [0.0]

    def takes(given: Any, *_: Any) -> Any:
        clock[0] += 1 / 64
        return checked(given, *_)

    checked = task.checked
    monkeypatch.setattr(task, "checked", takes)
    monkeypatch.setattr(task, "time", SimpleNamespace(perf_counter=lambda: clock[0]))
    toy.study(1500).run(tmp_path / "s", workers=0)
    sizes = [1 + stop - start for start, stop in sorted(
        (int(p.stem[:6]), int(p.stem[7:])) for p in (tmp_path / "s").glob("tasks/as-it-is-*/*.npz")
    )]  # fmt: skip
    assert sizes == [1, 4, 16, *[64] * 23, 7]


ONE = Layout({"x": Outcome()})
COUNT = Layout({"x": Outcome(dtype="int8")})


@declares(ONE)
def fine(task: dict[str, Any]) -> dict[str, Any]:
    return {"x": 1.0}


@declares(ONE)
def forgets(task: dict[str, Any]) -> dict[str, Any]:
    return {}


@declares(ONE)
def adds(task: dict[str, Any]) -> dict[str, Any]:
    return {"x": 1.0, "y": 2.0}


@declares(ONE)
def bends(task: dict[str, Any]) -> dict[str, Any]:
    return {"x": [1.0, 2.0]}


@declares(ONE)
def speaks(task: dict[str, Any]) -> dict[str, Any]:
    return {"x": "one"}


@declares(COUNT)
def overflows(task: dict[str, Any]) -> dict[str, Any]:
    return {"x": 300}


@declares(COUNT)
def halves(task: dict[str, Any]) -> dict[str, Any]:
    return {"x": 0.5}


@declares(ONE)
def meddles(task: dict[str, Any]) -> dict[str, Any]:
    task["parameters"]["list"].append(1)
    return {"x": 1.0}


def undeclared(task: dict[str, Any]) -> dict[str, Any]:
    return {}


@pytest.mark.parametrize(
    ("worker", "what"),
    [
        (forgets, "returned no x"),
        (adds, "returned also y"),
        (bends, "has shape"),
        (speaks, "does not fit float64"),
        (overflows, "does not fit int8"),
        (halves, "does not fit int8"),
        (meddles, "has been altered"),
    ],
)
def test_a_worker_is_held_to_its_layout(worker: Any, what: str) -> None:
    with pytest.raises(PricewarError, match=what):
        Study(worker, {"p": {}}, members=2, constants={"list": []}).run(workers=0)


def test_what_makes_no_study_is_refused() -> None:
    for make in (
        lambda: Study(undeclared, {"p": {}}),
        lambda: Study("no.such.module:run", {"p": {}}),
        lambda: Study("pricewar.study.task:chekced", {"p": {}}),
        lambda: Study("nonsense", {"p": {}}),
        lambda: Study(fine, {}),
        lambda: Study(fine, {"p": {}}, members=0),
        lambda: Study(fine, {"p": {}}, members=True),
        lambda: Study(fine, {"p": {}}, seed=-1),
        lambda: Study(fine, {"p": {}}, method="halton"),
        lambda: Study(fine, {"p": {}}, {"x": Uniform(0, 1)}),
        lambda: Study(fine, {"p": {}}, {"member": Uniform(0, 1)}),
        lambda: Study(fine, {"p": {}}, {"a": Uniform(0, 1)}, constants={"a": 1}),
        lambda: Study(fine, {"p": {}}, {"a": (0, 1)}),  # type: ignore[dict-item]
        lambda: Study(fine, {"p": {"a": float("nan")}}),
        lambda: Study(fine, {"p": {}}, constants={"a": object()}),
        lambda: Study(fine, {"p": {}}, constants={"a": {1: 2}}),
        lambda: Study(fine, {"p": {}}).run(workers=-1),
        lambda: Study(fine, {"p": {}}).run(workers=0, batch=0),
        lambda: Study(fine, {"p": {}}).task("q", 0),
        lambda: Study(fine, {"p": {}}, members=3).once("p", 3),
    ):
        with pytest.raises(ConfigurationError):
            make()


def test_a_worker_that_no_other_process_can_import_runs_here_only() -> None:
    @declares(ONE)
    def local(task: dict[str, Any]) -> dict[str, Any]:
        return {"x": float(task["member"])}

    study = Study(local, {"p": {}}, members=3)
    assert study.run(workers=0).outcomes["x"].tolist() == [[0.0, 1.0, 2.0]]
    with pytest.raises(ConfigurationError, match="cannot import the worker"):
        study.run(workers=2)


def test_numpy_numbers_and_arrays_become_plain_data() -> None:
    constants = {"a": np.float64(1.5), "b": np.arange(3), "c": (1, "x", None, True)}
    study = Study(fine, {"p": {}}, members=1, constants=constants)
    assert study.task("p", 0)["parameters"] == {"a": 1.5, "b": [0, 1, 2], "c": [1, "x", None, True]}
