"""A device changes its program safely: proven, or back on the former one, and told."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nguon import __version__
from nguon.agent.programs import Programs, Trial
from nguon.core import updates
from nguon.core.errors import InvalidError
from nguon.core.signing import DocumentRefusedError, SigningKey
from nguon.core.updates import Update
from tests.agent.conftest import ROOT, Agent, wait_until
from tests.fakes.province import FakeProvince

SOURCES = ROOT / "src"


def broken(version: str, name: str, text: str) -> bytes:
    """Return an archive of today's sources in which one file is replaced."""
    out = BytesIO()
    packed = BytesIO(updates.pack(SOURCES, version=version))
    with zipfile.ZipFile(packed) as good, zipfile.ZipFile(out, "w") as bad:
        for row in good.infolist():
            bad.writestr(row, text if row.filename == name else good.read(row))
    return out.getvalue()


class Kept(Agent):
    """The agent under its keeper, as on a pole."""

    def command(self, *arguments: str) -> list[str]:
        if arguments[0] != "run":
            return super().command(*arguments)
        return [
            sys.executable, "-m", "nguon.agent.keep", "--home", str(self.home),
            "--prove-seconds", "12", "--", *arguments,
        ]  # fmt: skip


@pytest.fixture
def kept(fake_province: FakeProvince, tmp_path: Path) -> Iterator[Kept]:
    found = Kept(fake_province, tmp_path / "home", tmp_path / "wav", ["--null"])
    assert found.enrol().returncode == 0
    yield found
    if found.process and found.process.poll() is None:
        found.process.terminate()
        found.process.wait(20)


def moments(province: FakeProvince, document: str) -> list[tuple[str, str]]:
    """Return what the device told about one update: (state, cause)."""
    rows = [e["data"] for e in province.told("update")]
    return [
        (row["state"], row.get("cause", "")) for row in rows
        if row["document"] == document
    ]  # fmt: skip


def ended(province: FakeProvince, document: str, *, seconds: float = 40) -> str:
    """Wait for the end of an update; return `proven` or the cause."""

    def last() -> tuple[str, str]:
        return (moments(province, document) or [("", "")])[-1]

    wait_until(lambda: last()[0] in {"proven", "failed"}, seconds=seconds)
    return last()[1] or last()[0]


@pytest.mark.server
def test_a_program_replaces_itself_and_goes_back(
    kept: Kept, fake_province: FakeProvince
) -> None:
    kept.run()
    first = fake_province.wait_for("birth")
    assert first["data"]["version"] == __version__
    # A cut on the way: the rest comes later, from where it was.
    archive = updates.pack(SOURCES, version="7.1")
    fake_province.cut_after = [len(archive) // 2]

    update = fake_province.ask_update(archive, "7.1")
    assert ended(fake_province, update) == "proven"
    states = [state for state, _cause in moments(fake_province, update)]
    assert states == ["downloading", "installed", "proven"]
    assert fake_province.wait_for("birth", count=2)["data"]["version"] == "7.1"
    assert fake_province.media_sent <= len(archive) + 64 * 1024

    older = fake_province.ask_update(updates.pack(SOURCES, version="7.0"), "7.0")
    assert ended(fake_province, older) == "older"
    back = fake_province.ask_update(b"", __version__, rollback=True)
    assert ended(fake_province, back) == "proven"
    assert fake_province.wait_for("birth", count=3)["data"]["version"] == __version__


@pytest.mark.server
def test_a_program_that_cannot_run_is_left_again(
    kept: Kept, fake_province: FakeProvince
) -> None:
    kept.run()
    fake_province.wait_for("birth")

    unloadable = broken("8.1", "nguon/agent/stage.py", "raise SystemError\n")
    update = fake_province.ask_update(unloadable, "8.1")
    assert ended(fake_province, update) == "self_check"
    # It passes its own look at itself, and then ends as soon as it lives.
    text = (SOURCES / "nguon/agent/board.py").read_text()
    dies = "class Board:\n    def __new__(cls, **_: object): raise SystemExit(3)\n"
    text = text.replace("class Board:", dies)
    update = fake_province.ask_update(
        broken("8.2", "nguon/agent/board.py", text), "8.2"
    )
    assert ended(fake_province, update) == "crashed"
    assert fake_province.wait_for("birth", count=2)["data"]["version"] == __version__
    assert Programs(kept.home / "program").current == ""


@pytest.mark.server
def test_what_is_wrong_with_an_update_is_told_and_changes_nothing(
    kept: Kept, fake_province: FakeProvince
) -> None:
    kept.run()
    fake_province.wait_for("birth")
    good = updates.pack(SOURCES, version="9.0")

    for cause, data, version, changes in (
        ("wrong_version", good, "9.1", {}),
        ("unusable", b"no archive at all", "9.2", {}),
        ("too_large", good, "9.3", {"size": updates.MAX_AGENT_BYTES + 1}),
        ("not_supported", good, "9.4", {"kind": "firmware", "make": "Hãng lạ"}),
        ("no_file", b"", "9.5", {"sha256": "0" * 64, "size": 10}),
    ):
        update = fake_province.ask_update(data, version, **changes)
        assert ended(fake_province, update) == cause
    update = fake_province.ask_update(good, "9.6", key=SigningKey.generate())
    wait_until(
        lambda: any(
            e["data"]["document"] == update for e in fake_province.told("refused")
        )
    )
    assert fake_province.told("refused")[-1]["data"]["cause"] == "unknown_key"
    # The right key's name, and another word than it signed.
    fake_province.ask_update(good, "9.7", tampered=True)
    wait_until(lambda: len(fake_province.told("refused")) == 2)
    assert fake_province.told("refused")[-1]["data"]["cause"] == "bad_signature"
    # A working key that may sign plans, and no programs.
    fake_province.ask_update(good, "9.8", key=fake_province.keys["plan"])
    wait_until(lambda: len(fake_province.told("refused")) == 3)
    assert fake_province.told("refused")[-1]["data"]["cause"] == "wrong_key_use"
    assert len(fake_province.told("birth")) == 1


# --- the folder of programs, killed between any two steps --------------------------


def lay(programs: Programs, version: str) -> None:
    fresh = programs.folder / "unpacked"
    (fresh / "nguon").mkdir(parents=True)
    programs.place(fresh, version)


STEPS: tuple[Callable[[Programs], object], ...] = (
    lambda p: lay(p, "2.0"),
    lambda p: p.begin(Trial("abcdefghijkl", "2.0", "1.0")),
    lambda p: p.settle(),
    lambda p: p.count_try(),
    lambda p: p.fall_back("not_proven"),
)


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    """Return a folder in which 1.0 has been proven."""
    found = Programs(tmp_path / "program")
    lay(found, "1.0")
    found.begin(Trial("aaaaaaaaaaaa", "1.0", ""))
    found.settle()
    found.prove()
    assert found.current == "1.0"
    return found


@pytest.mark.parametrize("steps", range(len(STEPS) + 1))
def test_a_kill_between_two_steps_leaves_one_whole_program(
    programs: Programs, steps: int
) -> None:
    for step in STEPS[:steps]:
        step(programs)

    after = Programs(programs.folder)  # the power is back
    after.settle()
    wanted = "2.0" if 2 <= steps <= 4 else "1.0"
    assert after.current == wanted
    assert (after.path() or Path()).joinpath("nguon").is_dir()
    failed = after.failure()
    assert (failed.cause if failed else "") == ("not_proven" if steps == 5 else "")


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_kill_inside_a_step_is_healed_too(
    programs: Programs, cut: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    class PowerCutError(Exception):
        """The device stands still in this very moment."""

    done = 0

    def counted(name: str) -> Callable[..., Any]:
        real = getattr(os, name)

        def call(*args: Any, **more: Any) -> Any:
            nonlocal done
            done += 1
            if done == cut:
                raise PowerCutError
            return real(*args, **more)

        return call

    lay(programs, "2.0")
    with monkeypatch.context() as patched:
        for name in ("replace", "unlink", "symlink", "fsync"):
            patched.setattr(os, name, counted(name))
        try:
            for step in STEPS[1:]:
                step(programs)
        except PowerCutError:
            pass

    after = Programs(programs.folder)
    after.settle()
    trial, failed = after.trial(), after.failure()
    assert after.current == ("2.0" if trial else "1.0")
    assert not (trial and failed)
    if failed:
        assert failed.version == "2.0"


# --- rules -------------------------------------------------------------------------


def make(**changes: Any) -> Update:
    told: dict[str, Any] = {
        "document": "abcdefghijkl", "release": "abcdefghijkl", "kind": "agent",
        "make": "nguon", "version": "1.0", "sha256": "0" * 64, "size": 10,
    }  # fmt: skip
    return Update(**(told | changes))


@given(st.lists(st.integers(0, 300), min_size=2, max_size=4),
       st.lists(st.integers(0, 300), min_size=2, max_size=4))  # fmt: skip
def test_an_older_version_is_taken_only_when_going_back(
    one: list[int], other: list[int]
) -> None:
    new, running = (".".join(map(str, numbers)) for numbers in (one, other))

    refused = updates.objection(make(version=new), running=running)
    assert (refused == "older") == (updates.order(new) < updates.order(running))
    assert not updates.objection(make(version=new, rollback=True), running=running)


@given(st.integers(0, 1439), st.integers(0, 1439), st.integers(0, 1439))
def test_hours_hold_also_over_midnight(begin: int, end: int, minute: int) -> None:
    local_midnight = 1_764_003_600_000  # 2025-11-25 00:00 in Vietnam
    inside = make(hours=(begin, end)).allows(local_midnight + minute * 60_000)

    walked = begin <= minute < end
    if begin > end:
        walked = minute >= begin or minute < end
    assert inside == walked


def test_an_update_that_cannot_be_read_is_malformed() -> None:
    good = {"id": "abcdefghijkl", **make().body()}
    assert Update.decode(good) == make()
    for wrong in (
        {"kind": "game"}, {"number": "one"}, {"number": 1}, {"sha256": ""},
        {"sha256": "0" * 63}, {"size": "10"}, {"hours": [1]}, {"hours": [0, 1440]},
    ):  # fmt: skip
        with pytest.raises(DocumentRefusedError):
            Update.decode(good | wrong)


def test_the_same_sources_give_the_same_archive(tmp_path: Path) -> None:
    shutil.copytree(SOURCES / "nguon/core", tmp_path / "nguon/core")
    shutil.copytree(SOURCES / "nguon/agent", tmp_path / "nguon/agent")
    shutil.copytree(SOURCES / "nguon/radio", tmp_path / "nguon/radio")

    archive = updates.pack(SOURCES, version="3.2.1")
    assert updates.pack(tmp_path, version="3.2.1") == archive
    assert updates.check_archive(archive) == "3.2.1"
    (tmp_path / "a.zip").write_bytes(archive)
    with zipfile.ZipFile(tmp_path / "a.zip") as file:
        file.extractall(tmp_path / "out")
    alone = {**os.environ, "PYTHONPATH": str(tmp_path / "out")}
    words = [sys.executable, "-m", "nguon.agent", "check", "--version"]
    for version, status in (("3.2.1", 0), ("3.2.2", 1)):
        done = subprocess.run(
            [*words, version], env=alone, check=False, cwd=tmp_path, timeout=60
        )
        assert done.returncode == status


def test_an_archive_that_leads_out_of_its_folder_is_refused() -> None:
    init = '__version__ = "1.0"\n'
    for name in ("../evil.py", "/etc/evil.py", "other/a.py", "nguon/a.so"):
        out = BytesIO()
        with zipfile.ZipFile(out, "w") as file:
            file.writestr("nguon/__init__.py", init)
            file.writestr(name, "x")
        with pytest.raises(InvalidError) as refused:
            updates.check_archive(out.getvalue())
        assert refused.value.code == "core.archive_names"
    cut = updates.pack(SOURCES, version="1.0")[:-100]
    with pytest.raises(InvalidError):
        updates.check_archive(cut)
    assert json.dumps(cut[:2].decode()) == '"PK"'
