"""Pages of the practice: begin, one step a page, the proof, who has practised."""

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from nguon.core import typed
from nguon.core.errors import AbsentError, ConflictError, DomainError, InvalidError
from nguon.newsroom.rules import TITLE_LIMIT
from nguon.people.answers import done, sound_file, table_file, wants_json
from nguon.people.models import Officer
from nguon.registers import asked, books
from nguon.registers.access import Reader, may_keep
from nguon.registers.models import PracticeRun
from nguon.registers.practice import (
    actions,
    ground,
    lessons,
    queries,
    rules,
    sounds,
)
from nguon.schedule.rules import LOCAL
from nguon.territory.names import fold

PER_PAGE = 50
EXPORT_LIMIT = 20_000
# Which page shows a step; a lesson shows by its own.
PAGES = {
    rules.WRITTEN: "write",
    rules.SENT: "place",
    rules.CAUGHT: "judge",
    rules.APPROVED: "approve",
    rules.PLAYED: "play",
    rules.STOPPED: "stop",
}


WRITE, SEND = "viet", "gui"
LEFT_OFF = {"tinh_trang": rules.LEFT_OFF}


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Say what the practice is; begin, go on, see who of one's ground has done it."""
    reader = asked.reader(request)
    found = queries.list_runs(reader, request.GET.dict())
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("trang"))
    rows = [_row(run, reader.at) for run in page]
    if wants_json(request):
        told = [
            {
                "uid": row["run"].uid,
                "name": row["run"].officer.full_name,
                "unit": row["run"].unit.full_name,
                "state": row["state"],
                "steps": row["run"].steps_done,
                "certificate": row["certificate"],
            }
            for row in rows
        ]
        return JsonResponse({"practices": told, "of": len(rules.ORDER)})
    context = {
        "open": queries.open_run(reader.officer),
        "own": queries.list_own(reader.officer),
        "people": _people(reader.officer, reader),
        "page": page,
        "rows": rows,
        "states": rules.STATES.items(),
        "asked": {k: v for k, v in request.GET.items() if k != "trang" and v},
        "steps": list(rules.STEPS.values()),
        "left_off": queries.list_runs(reader, LEFT_OFF).count(),
        "minutes": sum(one.minutes for one in lessons.readings().values()),
    }
    return render(request, "registers/practice/index.html", context)


def _row(run: PracticeRun, at: datetime) -> dict[str, Any]:
    state = queries.state_of(run, at=at)
    proof = run.certificate
    return {
        "run": run,
        "state": state,
        "words": rules.STATES[state],
        "certificate": f"{proof.number}/{proof.year}" if proof else "",
        "withdrawn": ", ".join(f"{one.number}/{one.year}" for one in run.withdrawn),
    }


def _people(officer: Officer, reader: Reader) -> list[tuple[str, str, str]]:
    """Return uid, name and place of the lines that may be an officer's."""
    return [
        (
            line.uid,
            books.shown(line, "full_name", is_own=True),
            line.unit.full_name,
        )
        for line in queries.list_newcomers(officer, reader)[: asked.MOST_CHOICES]
    ]


@require_safe
def index_file(request: HttpRequest) -> HttpResponse:
    """Send who of one's ground has practised as CSV."""
    reader = asked.reader(request)
    found = queries.list_runs(reader, request.GET.dict())
    rows = (
        (
            run.unit.full_name,
            run.officer.full_name,
            rules.STATES[queries.state_of(run, at=reader.at)],
            f"{run.steps_done}/{len(rules.ORDER)}",
            f"{run.began_at.astimezone(LOCAL):%d/%m/%Y}",
            f"{run.touched_at.astimezone(LOCAL):%d/%m/%Y}",
            _row(run, reader.at)["certificate"],
            _row(run, reader.at)["withdrawn"],
        )
        for run in found[:EXPORT_LIMIT]
    )
    head = (
        "Đơn vị",
        "Cán bộ",
        "Tình trạng",
        "Bước",
        "Bắt đầu",
        "Lần cuối",
        "Số giấy",
        "Giấy đã rút",
    )
    return table_file("luyen-tap", head, rows)


@require_POST
def begin(request: HttpRequest) -> HttpResponse:
    """Begin a practice, or go on with the one that is open."""
    reader = asked.reader(request)
    run = actions.begin(
        person_uid=request.POST.get("person", ""), by=reader.officer, at=reader.at
    )
    return _on(request, run.uid)


def _on(request: HttpRequest, uid: str, *, more: str = "") -> HttpResponse:
    to = reverse("registers:practice", args=[uid])
    return done(request, to=f"{to}{more}", data={"uid": uid})


@require_safe
def show(request: HttpRequest, uid: str) -> HttpResponse:
    """Show the step of a practice that is to be done; to others how far it is."""
    reader = asked.reader(request)
    return _show(request, queries.access_run(reader, uid), reader)


def _show(
    request: HttpRequest,
    run: PracticeRun,
    reader: Reader,
    *,
    error: DomainError | None = None,
    wanted: str = "",
) -> HttpResponse:
    known = queries.done_of(run)
    step = _step_here(run, known, wanted or request.GET.get("buoc", ""))
    state = queries.state_of(run, at=reader.at)
    if wants_json(request):
        return JsonResponse({"uid": run.uid, "state": state, "step": step})
    is_open = state in {rules.OPEN, rules.LEFT_OFF}
    own = run.officer_id == reader.officer.pk
    reading = lessons.readings().get(step)
    page = PAGES.get(step, "learn" if reading else "over")
    if not (is_open and own):
        page = "over"
    context = {
        "run": run,
        "page": f"registers/practice/{page}.html",
        "state": state,
        "words": rules.STATES[state],
        "own": own,
        "is_open": is_open,
        "step": step,
        "number": rules.number_of(step) if step else len(rules.ORDER),
        "passed": len(known),
        "count": len(rules.ORDER),
        "name": rules.STEPS.get(step, ""),
        "as_approver": step in rules.AS_APPROVER,
        "moments": [(rules.STEPS[one], at) for one, at in queries.moments_of(run)],
        "reading": reading,
        "error": error,
        "sent": request.POST,
        **_of_page(request, run, reader, page, known),
    }
    status = 200 if error is None else 409 if isinstance(error, ConflictError) else 422
    return render(request, "registers/practice/run.html", context, status=status)


def _step_here(run: PracticeRun, known: set[str], wanted: str) -> str:
    """Return the step to show: what is not sent, or was given back, may be changed."""
    step = rules.next_step(known)
    if rules.WRITTEN not in known or run.seal:
        return step
    if wanted == SEND or (wanted != WRITE and step == rules.SENT):
        return rules.SENT
    return rules.WRITTEN


def _of_page(
    request: HttpRequest,
    run: PracticeRun,
    reader: Reader,
    page: str,
    known: set[str],
) -> dict[str, Any]:
    """Return what only one page of the practice needs."""
    if page == "write":
        return _draft(request, run)
    if page == "place":
        start = run.starts_at or ground.usual_start(reader.at)
        if start <= reader.at:
            start = ground.usual_start(reader.at)
        return {"start": start, "quiet": ground.QUIET[0], "place": ground.PLACE}
    if page == "judge":
        return {"other": lessons.flawed(), "reason_limit": rules.REASON_LIMIT}
    if page in {"approve", "play", "stop"} and run.starts_at is not None:
        return _sounding(run) | {
            "place": ground.PLACE,
            "clock": ground.clock(run.starts_at, known),
            "spoken": ground.spoken(title=run.title, body=run.body),
            "speakers": ground.hear(
                title=run.title,
                body=run.body,
                seal=run.seal,
                starts_at=run.starts_at,
                done=known,
            ),
        }
    if page == "over":
        named = run.person
        people = [] if named else _people(run.officer, reader)
        asked_for = request.GET.get("person", "")
        wanted = next((one for one in people if one[0] == asked_for), None)
        name = fold(run.officer.full_name)
        return {
            "named": named,
            "people": people,
            "wanted": wanted,
            "name_on": queries.name_on(run, reader),
            "may_withdraw": run.certificate is not None
            and may_keep(reader.officer, (named or run).unit, at=reader.at),
            "reason_limit": rules.REASON_LIMIT,
            "is_namesake": wanted is not None and fold(wanted[1]) == name,
        }
    return {}


def _sounding(run: PracticeRun) -> dict[str, Any]:
    """Return how the bulletin sounds; without a voice, why it does not."""
    try:
        return {"sound": sounds.make(title=run.title, body=run.body)}
    except DomainError as mute:
        return {"mute": mute}


@require_safe
def sound(request: HttpRequest, uid: str) -> HttpResponse:
    """Send the newcomer what the made-up loudspeakers say, until they are stopped."""
    reader = asked.reader(request)
    run = queries.access_sounding(reader, uid)
    return sound_file(request, sounds.make(title=run.title, body=run.body).mp3)


def _draft(request: HttpRequest, run: PracticeRun) -> dict[str, Any]:
    title, body = run.title, run.body
    if request.method == "POST":
        title, body = request.POST.get("title", ""), request.POST.get("body", "")
    elif request.GET.get("mau"):
        title, body = lessons.example().title, lessons.example().body
    return {
        "draft": {"title": title, "body": body},
        "title_limit": TITLE_LIMIT,
        "body_limit": rules.BODY_LIMIT,
    }


# --- what is done on a page --------------------------------------


def _answer(request: HttpRequest, uid: str, by: Officer, at: datetime) -> None:
    choice = request.POST.get("choice", "")
    actions.answer(
        uid=uid,
        step=request.POST.get("step", ""),
        choice=int(choice) if choice.isascii() and choice.isdecimal() else -1,
        by=by,
        at=at,
    )


def _write(request: HttpRequest, uid: str, by: Officer, at: datetime) -> None:
    title, body = request.POST.get("title", ""), request.POST.get("body", "")
    actions.write(uid=uid, title=title, body=body, by=by, at=at)


def _send(request: HttpRequest, uid: str, by: Officer, at: datetime) -> None:
    day, clock = request.POST.get("date", ""), request.POST.get("time", "")
    try:
        starts_at = datetime.combine(
            typed.read_day(day, today=timezone.localdate(at)),
            typed.read_clock(clock),
            LOCAL,
        )
    except ValueError as wrong:
        text = f"{day} {clock}"[:40]
        raise InvalidError("people.moment_unreadable", text=text) from wrong
    actions.send(uid=uid, starts_at=starts_at, by=by, at=at)


def _judge(request: HttpRequest, uid: str, by: Officer, at: datetime) -> None:
    actions.judge(
        uid=uid,
        is_right=request.POST.get("verdict") != "return",
        reason=request.POST.get("reason", ""),
        by=by,
        at=at,
    )


def _approve(request: HttpRequest, uid: str, by: Officer, at: datetime) -> None:
    actions.approve(uid=uid, seal=request.POST.get("sha256", ""), by=by, at=at)


def _give_back(_request: HttpRequest, uid: str, by: Officer, at: datetime) -> None:
    actions.give_back(uid=uid, by=by, at=at)


def _play(_request: HttpRequest, uid: str, by: Officer, at: datetime) -> None:
    actions.play(uid=uid, by=by, at=at)


def _stop(_request: HttpRequest, uid: str, by: Officer, at: datetime) -> None:
    actions.stop(uid=uid, by=by, at=at)


def _give_up(_request: HttpRequest, uid: str, by: Officer, at: datetime) -> None:
    actions.give_up(uid=uid, by=by, at=at)


def _name(request: HttpRequest, uid: str, by: Officer, at: datetime) -> None:
    person = request.POST.get("person", "")
    actions.name_person(uid=uid, person_uid=person, by=by, at=at)


def _withdraw(request: HttpRequest, uid: str, by: Officer, at: datetime) -> None:
    actions.withdraw(uid=uid, reason=request.POST.get("reason", ""), by=by, at=at)


Deed = Callable[[HttpRequest, str, Officer, datetime], None]
DEEDS: dict[str, Deed] = {
    "tra-loi": _answer,
    WRITE: _write,
    SEND: _send,
    "xem": _judge,
    "duyet": _approve,
    "tra-lai": _give_back,
    "den-gio": _play,
    "dung": _stop,
    "thoi": _give_up,
    "la-ai": _name,
    "rut": _withdraw,
}
SAID = {
    "tra-loi": "Đúng rồi.",
    "xem": "Đúng: thấy lỗi thì trả lại, kèm lý do.",
    "rut": "Đã rút giấy. Hãy chọn đúng người để cấp giấy mới.",
    "dung": "Loa luyện tập đã im. Bạn đã đi hết các bước.",
}


@require_http_methods(["GET", "HEAD", "POST"])
def do(request: HttpRequest, uid: str, deed: str) -> HttpResponse:
    """Do one thing of a practice; what was wrong is told above the same page.

    Who comes back to that page later is led to where the practice stands.
    """
    if deed not in DEEDS:
        raise AbsentError("registers.practice_absent")
    reader = asked.reader(request)
    if request.method != "POST":
        return redirect("registers:practice", queries.access_run(reader, uid).uid)
    try:
        DEEDS[deed](request, uid, reader.officer, reader.at)
    except (InvalidError, ConflictError) as wrong:
        if wants_json(request):
            raise
        run = queries.access_run(reader, uid)
        return _show(request, run, reader, error=wrong, wanted=deed)
    if deed in SAID and not wants_json(request):
        messages.success(request, SAID[deed])
    return _on(request, uid, more=f"?buoc={SEND}" if deed == WRITE else "")


@require_safe
def proof(request: HttpRequest, uid: str) -> HttpResponse:
    """Show the dated, numbered proof of a practice, to be printed."""
    reader = asked.reader(request)
    run = queries.access_run(reader, uid)
    given = run.certificate
    if given is None and not run.withdrawn:
        raise AbsentError("registers.practice_absent")
    context = {
        "run": run,
        "given": given,
        "name": queries.name_on(run, reader),
        "proven": rules.PROVEN,
        "note": rules.PROOF_NOTE,
        "moments": [(rules.STEPS[one], at) for one, at in queries.moments_of(run)],
    }
    status = HTTPStatus.OK if given else HTTPStatus.GONE
    return render(request, "registers/practice/proof.html", context, status=status)
