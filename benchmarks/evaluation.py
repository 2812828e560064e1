"""How long the figures of a full province take over three years of facts.

1. A database of its own: 10,000 devices, `--plays` plays and a day of beats of every
   device, spread over `--days` days; what is written by SQL is what the gateway and the
   worker would write.
2. `recompute_s`: the last whole month is counted from its raw facts, day by day, by the
   rooms' own actions; then every built-in figure of every commune is read.
3. The web server as it runs in service. The dashboard of the province and the pages of
   figures are asked for many times, one after the other, whole, over HTTP.
4. `report_s`: every commune has reported that month; the province's synthesis is asked
   for as DOCX over HTTP.
"""

import argparse
import os
import sys
import time
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from benchmarks import _bench
from benchmarks.control_room import WARM_UP, run_database
from nguon.demo.client import Client
from nguon.demo.stack import Stack

DASHBOARD_MS, RECOMPUTE_S, REPORT_S = 500.0, 60.0, 10.0
# What people call the dashboard: a unit's figures, and its communes side by side.
DASHBOARD = ("dashboard", "dashboard_year", "communes_map")
LEAST_COMMUNES, MOST_PERIODS = 100, 1_000
FEW = 10


def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Measure, and say whether the promise is kept."""
    with run_database(arguments.database) as address:
        stack = Stack(
            folder / "stack",
            database_url=address,
            devices=0,
            agents=0,
            boards=0,
            servers=("web",),
            say=_bench.say,
        )
        with stack:
            return _measure(stack, arguments)


def _measure(stack: Stack, arguments: argparse.Namespace) -> dict[str, Any]:
    os.environ |= stack.env | {
        "DJANGO_SETTINGS_MODULE": "nguon.web.settings",
        "DJANGO_ALLOW_ASYNC_UNSAFE": "1",
    }
    import django

    django.setup()
    from django.utils import timezone

    at = timezone.now()
    facts = _fill(arguments, at)
    counted = _recompute(at)
    facts |= _fill_others(arguments, at)
    if arguments.serve:
        _bench.say(f"{stack.web_url} quan / {stack.password}; Enter ends")
        sys.stdin.readline()
    pages = _time_pages(stack.login("quan"), arguments.rounds)
    report = _time_report(stack, at)
    dashboard = max(pages[page]["p95"] for page in DASHBOARD)
    return {
        "bench": "evaluation",
        "database": arguments.database,
        **facts,
        "rounds": arguments.rounds,
        "dashboard_p95_ms": dashboard,
        "pages_ms": pages,
        **counted,
        **report,
        "limits": {
            "dashboard_p95_ms": DASHBOARD_MS,
            "recompute_s": RECOMPUTE_S,
            "report_s": REPORT_S,
        },
        "passed": dashboard <= DASHBOARD_MS
        and counted["recompute_s"] <= RECOMPUTE_S
        and report["report_s"] <= REPORT_S,
    }


def _fill(arguments: argparse.Namespace, at: datetime) -> dict[str, int]:
    """Write devices and their raw facts; return how much there is of what."""
    from benchmarks import _crowd, _years
    from nguon.fleet.models import BeatDay, Device

    began = time.monotonic()
    _crowd.make_devices(arguments.devices, at)
    _crowd.make_past(at)
    whole = _crowd.make_programme(at)
    plays = _crowd.make_plays(arguments.plays, whole, at, days=arguments.days)
    days = _years.days_before(_years.local_day(at), arguments.days)
    _years.make_beats(days, at)
    _crowd.tidy()
    found = {
        "devices": Device.objects.count(),
        "days": arguments.days,
        "plays": plays,
        "beat_days": BeatDay.objects.count(),
    }
    _bench.say(f"raw facts in {time.monotonic() - began:.0f} s: {found}")
    return found


def _recompute(at: datetime) -> dict[str, Any]:
    """Count the last whole month from raw facts and read every commune's figures."""
    from benchmarks import _years
    from nguon.indicators import actions, stored
    from nguon.indicators.models import DayFact

    period = _last_month(_years.local_day(at))
    # Audible goes by the plays of the seven days before, too.
    _years.count_week_before(period, at)
    began = time.monotonic()
    _years.count_month(period, at)
    province, written = _province(at), time.monotonic() - began
    actions.count_period(province=province, period=period, day=period.last, at=at)
    table = stored.read(province, period, day=period.last).table
    taken = time.monotonic() - began
    _bench.check(len(table.places) > LEAST_COMMUNES, "too few communes")
    for code in ("minutes_played", "minutes_planned", "devices_audible", "staff"):
        total = table.total(code)
        _bench.check(total is not None and total.above, f"{code} says nothing")
    _bench.say(f"recomputed in {taken:.1f} s")
    return {
        "recompute_s": round(taken, 1),
        "recompute_figures_s": round(taken - written, 2),
        "numbers": DayFact.objects.count(),
    }


def _last_month(today: date) -> Any:
    from nguon.indicators.rules import months

    year, month = divmod(today.year * 12 + today.month - 2, 12)
    return months(year, month + 1, 1)


def _province(at: datetime) -> Any:
    from nguon.territory import boundaries
    from nguon.territory.models import PROVINCE
    from nguon.territory.queries import get_unit

    return get_unit(boundaries.PROVINCE_CODE, kind=PROVINCE, day=at.date())


def _fill_others(arguments: argparse.Namespace, at: datetime) -> dict[str, Any]:
    """Let the other days have been counted too, as they were over the years."""
    from benchmarks import _crowd, _years
    from nguon.indicators import actions
    from nguon.indicators.models import DayFact, MonthFact, PeriodFigure

    began = time.monotonic()
    today = _years.local_day(at)
    period = _last_month(today)
    counted = _years.days_before(period.after, period.days)
    _years.fill_others(_years.days_before(today, arguments.days), counted, at)
    _crowd.tidy()
    _bench.say(f"all days are counted after {time.monotonic() - began:.0f} s")
    began = time.monotonic()
    periods = 0
    while some := actions.roll_figures(at=at):
        periods += some
        _bench.check(periods < MOST_PERIODS, "the same figures are counted for ever")
    _crowd.tidy()
    keeping = time.monotonic() - began
    _bench.say(f"the figures of all periods are kept after {keeping:.0f} s")
    return {
        "keep_figures_s": round(keeping, 1),
        "periods": periods,
        "kept_figures": PeriodFigure.objects.count(),
        "day_facts": DayFact.objects.count(),
        "month_facts": MonthFact.objects.count(),
        "database_mb": _crowd.size_mb(),
    }


def _time_pages(web: Client, rounds: int) -> dict[str, dict[str, float]]:
    """Return the times of each kind of page, ms."""
    asked = {
        "dashboard": ("/tong-quan/?ky=thang-truoc", rounds),
        "dashboard_year": ("/tong-quan/?ky=nam", rounds),
        "communes_map": ("/tong-quan/cac-xa/?ky=thang-truoc", rounds),
        "figures_month": ("/chi-tieu/?ky=thang-truoc", rounds),
        "figures_year": ("/chi-tieu/?ky=nam", rounds),
        "figures_week": ("/chi-tieu/?ky=tuan", FEW),
        "figure": ("/chi-tieu/minutes_played/?ky=thang-truoc", FEW),
        "villages_year": ("/chi-tieu/villages_covered/?ky=nam", FEW),
    }
    return {name: _time(web, *how) for name, how in asked.items()}


def _time(web: Client, path: str, rounds: int) -> dict[str, float]:
    taken = []
    for number in range(rounds + WARM_UP):
        began = time.perf_counter()
        answer = web.get(path)
        took = (time.perf_counter() - began) * 1000
        _bench.check(answer.status == 200, f"{path}: {answer.status}")
        if number >= WARM_UP:
            taken.append(took)
    return _bench.distribution(taken)


def _time_report(stack: Stack, at: datetime) -> dict[str, float]:
    """Let every commune report the month; return how long the synthesis takes."""
    from docx import Document

    began = time.monotonic()
    top, communes = _report_month(at)
    filled = time.monotonic() - began
    web = stack.login("quan")
    began = time.monotonic()
    answer = web.get(f"/bao-cao/{top}/van-ban/docx/")
    taken = time.monotonic() - began
    _bench.check(answer.status == 200, f"the report: {answer.status}")
    words = "\n".join(
        cell.text
        for table in Document(BytesIO(answer.body)).tables
        for row in table.rows
        for cell in row.cells
    )
    _bench.check("Thời lượng đã phát" in words, "the report has no figures")
    return {
        "report_s": round(taken, 2),
        "report_bytes": len(answer.body),
        "reports_of_communes": communes,
        "reports_filled_s": round(filled, 1),
    }


def _report_month(at: datetime) -> tuple[str, int]:
    """Open the month, send and accept every commune's report by the room's actions."""
    from benchmarks import _years
    from nguon.indicators.catalogue import COUNTED, INDICATORS
    from nguon.people.models import Officer
    from nguon.reports import actions, rules
    from nguon.reports.models import Submission

    quan = Officer.objects.get(username="quan")
    admin = Officer.objects.get(username="admin")
    form = actions.create_form(
        unit=_province(at), level="commune", title="Thông tin cơ sở", by=quan, at=at
    )
    codes = [one.code for one in INDICATORS.values() if one.source == COUNTED]
    for code in codes:
        words = rules.FieldWords(indicator=code)
        actions.add_field(form_id=form.pk, words=words, by=quan, at=at)
    period = actions.open_period(
        form_id=form.pk,
        kind=rules.MONTH,
        days=_last_month(_years.local_day(at)),
        due_days=5,
        is_sure=True,
        by=quan,
        at=at,
    )
    top = period.submissions.get(above=None)
    rows = list(Submission.objects.filter(above=top).order_by("pk"))
    for row in rows:
        sent = actions.send(submission_id=row.pk, revision=row.revision, by=quan, at=at)
        actions.accept(submission_id=row.pk, revision=sent.revision, by=admin, at=at)
    return top.uid, len(rows)


if __name__ == "__main__":
    sys.exit(
        _bench.run(
            str(__doc__),
            measure,
            devices=10_000,
            rounds=100,
            days=1_095,
            options=(
                ("--plays", {"type": int, "default": 20_000_000}),
                (
                    "--database",
                    {"choices": ("postgresql", "sqlite"), "default": "postgresql"},
                ),
                (
                    "--serve",
                    {"action": "store_true", "help": "wait before measuring, to look"},
                ),
            ),
        )
    )
