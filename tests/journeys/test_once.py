"""The main job, once, with real processes: on SQLite, and again on PostgreSQL."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.server]

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.enable_socket
def test_the_main_job_really_happens(database_url: str | None) -> None:
    database = {"NGUON_DATABASE_URL": database_url} if database_url else {}
    environ = {**os.environ, **database}
    # Two hundred once; the other database is proven by the same way, not by numbers.
    devices = 40 if database_url else 200
    command = [sys.executable, "-m", "nguon.demo", "--once", "--json"]
    command += ["--devices", str(devices)]

    done = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )

    facts = json.loads(done.stdout)
    assert done.returncode == 0, f"{facts.get('error')}\n{done.stderr[-2000:]}"
    assert facts["devices_sounded"] == devices + 2
    assert facts["play_records"] == facts["devices_targeted"] == devices + 3
    assert facts["boards_shown"] == 1
    assert facts["public_page_ok"] is True
    assert facts["unapproved_absent"] is True
    assert "own_bulletin" in facts["refused"]["sql_approval"]
    assert facts["stop_to_silent_ms"]["max"] <= 5000
    assert facts["start_error_ms"]["max"] <= 150
    assert [file["silent_between"] for file in facts["wav_files"]] == [True, True]
