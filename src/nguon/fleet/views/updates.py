"""Screens of programs: bring one, approve it, roll it out by stages, watch and stop."""

from datetime import datetime
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from nguon.core import typed, updates
from nguon.core.errors import AbsentError, InvalidError
from nguon.fleet import access, actions, keys, queries, rollouts
from nguon.fleet.models import (
    ACTIVE,
    Device,
    Release,
    Rollout,
    RolloutTarget,
)
from nguon.fleet.rollouts import Wish
from nguon.people import access as people
from nguon.people.answers import done, officer_of, table_file, wants_json
from nguon.people.models import Officer

PER_PAGE = 50
KINDS = {
    updates.AGENT: "Chương trình Nguồn",
    updates.FIRMWARE: "Phần mềm của hãng khác",
}
WAYS = {
    rollouts.DEVICES: "Máy chọn tay",
    rollouts.GROUP: "Một nhóm thiết bị",
    rollouts.COMMUNE: "Một xã, phường",
    rollouts.PERCENT: "Phần trăm",
    rollouts.REST: "Tất cả máy còn lại",
}
# What a careful rollout looks like; the officer changes it.
SUGGESTED = (
    Wish(rollouts.PERCENT, percent=2, success=100, error=0),
    Wish(rollouts.PERCENT, percent=20, success=95, error=3),
    Wish(rollouts.REST, success=95, error=5),
)
VERBS = {
    "tam-dung": rollouts.PAUSED,
    "chay-tiep": rollouts.RUNNING,
    "thoi": rollouts.STOPPED,
    "ve-ban-cu": rollouts.BACK,
}


def _release(uid: str) -> Release:
    """Return a release. Raises AbsentError."""
    rows = Release.objects.select_related("uploaded_by", "approved_by")
    release = rows.filter(uid=uid).first()
    if release is None:
        raise AbsentError("fleet.release_absent")
    return release


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """List releases and the rollouts on the officer's ground."""
    at = timezone.now()
    officer = officer_of(request)
    found = people.fence(Rollout.objects.all(), officer=officer, at=at)
    text = request.GET.get("tim", "").replace("\0", "").strip()[:24]
    state = request.GET.get("trang_thai", "")
    releases = Release.objects.order_by("-uploaded_at", "-pk")
    if text:
        found = found.filter(release__version__startswith=text)
        releases = releases.filter(version__startswith=text)
    if state in rollouts.STATES:
        found = found.filter(state=state)
    rows = found.select_related("release", "made_by").order_by("-made_at", "-pk")
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("trang"))
    if wants_json(request):
        return JsonResponse({"rollouts": [_facts(row) for row in page]})
    context = {
        "page": page,
        "asked": request.GET,
        "states": rollouts.STATES.items(),
        "releases": releases[:PER_PAGE],
        "keyless": not keys.can_sign("firmware", at=at),
        "may_release": access.can_release(officer, at=at),
    }
    return render(request, "fleet/updates.html", context)


@require_http_methods(["GET", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    """Take a program's file; another person approves it."""
    at = timezone.now()
    officer = officer_of(request)
    access.check_releaser(officer, at=at)
    if request.method == "GET":
        return render(request, "fleet/release_new.html", {"kinds": KINDS.items()})
    file = request.FILES.get("file")
    if not isinstance(file, UploadedFile):
        raise InvalidError(
            "fleet.release_size", limit=updates.MAX_AGENT_BYTES // 1024**2
        )
    if file.size is None or file.size > updates.MAX_FIRMWARE_BYTES:
        raise InvalidError(
            "fleet.release_size", limit=updates.MAX_FIRMWARE_BYTES // 1024**2
        )
    release = actions.upload_release(
        data=file.read(),
        kind=request.POST.get("kind", ""),
        make=request.POST.get("make", "").replace("\0", ""),
        version=request.POST.get("version", "").strip(),
        notes=request.POST.get("notes", "").replace("\0", ""),
        by=officer,
        at=at,
    )
    to = reverse("fleet:release", args=[release.uid])
    return done(request, to=to, data={"release": release.uid})


@require_safe
def release(request: HttpRequest, uid: str) -> HttpResponse:
    """Show a release, to be approved by somebody else or to be rolled out."""
    at = timezone.now()
    officer = officer_of(request)
    found = _release(uid)
    may = access.can_release(officer, at=at)
    context = {
        "release": found,
        "kind_name": KINDS[found.kind],
        "may_approve": may and found.uploaded_by_id != officer.pk,
        "may_release": may,
        "rollouts": people.fence(found.rollouts.all(), officer=officer, at=at)
        .select_related("made_by", "release")
        .order_by("-made_at", "-pk")[:20],
    }
    return render(request, "fleet/release.html", context)


@require_POST
def approve(request: HttpRequest, uid: str) -> HttpResponse:
    """Approve a release by the hash that was shown."""
    found = actions.approve_release(
        release_id=_release(uid).pk,
        sha256=request.POST.get("sha256", ""),
        by=officer_of(request),
        at=timezone.now(),
    )
    to = reverse("fleet:release", args=[found.uid])
    return done(request, to=to, data={"release": found.uid})


# --- rollouts ----------------------------------------------------------------------


def _meant(officer: Officer, found: Release, at: datetime) -> QuerySet[Device]:
    """Return the devices of the release's make that the officer looks after."""
    kept = access.fence_kept(officer, at=at).filter(state=ACTIVE)
    return kept.filter(make__iexact=found.make)


@require_http_methods(["GET", "POST"])
def start(request: HttpRequest, uid: str) -> HttpResponse:
    """Plan the stages, look at them once more with their numbers, then begin."""
    at = timezone.now()
    officer = officer_of(request)
    access.check_releaser(officer, at=at)
    found = _release(uid)
    devices = _meant(officer, found, at)
    units = access.list_grounds(officer, at=at)
    groups = access.fence_groups(officer, at=at).order_by("name", "pk")
    context: dict[str, Any] = {
        "release": found,
        "count": devices.count(),
        "ways": WAYS.items(),
        "units": units,
        "groups": groups,
        "wishes": [*SUGGESTED, *[None] * (4 - len(SUGGESTED))],
    }
    if request.method == "GET":
        return render(request, "fleet/rollout_new.html", context)
    wishes = _wishes(request)
    hours = _hours(request)
    rollouts.check_wishes(wishes)
    rollouts.check_hours(hours)
    names = {unit.uid: unit.full_name for unit in units}
    names |= {group.uid: f"nhóm {group.name}" for group in groups}
    words = [_words(wish, names) for wish in wishes]
    if request.POST.get("sure") != "1":
        candidates = queries.list_candidates(devices)
        shares = rollouts.share_out(candidates, wishes, seed=found.uid)
        context["stages"] = [
            (number, name, wish, len(share))
            for number, (name, wish, share) in enumerate(
                zip(words, wishes, shares, strict=True), 1
            )
        ]
        context["left"] = len(candidates) - sum(map(len, shares))
        context["posted"] = [
            (name, value)
            for name, value in request.POST.items()
            if name != "csrfmiddlewaretoken" and isinstance(value, str)
        ]
        return render(request, "fleet/rollout_sure.html", context)
    rollout = actions.start_rollout(
        release_id=found.pk,
        devices=devices,
        stages=wishes,
        names=words,
        hours=hours,
        by=officer,
        at=at,
    )
    to = reverse("fleet:rollout", args=[rollout.uid])
    return done(request, to=to, data=_facts(rollout))


def _wishes(request: HttpRequest) -> list[Wish]:
    """Return the stages of the form; rows without a way are none."""
    found = []
    for number in range(1, rollouts.MAX_STAGES + 1):
        way = request.POST.get(f"by-{number}", "")
        if not way:
            continue
        values: tuple[str, ...] = (request.POST.get(f"commune-{number}", ""),)
        if way == rollouts.GROUP:
            values = (request.POST.get(f"group-{number}", ""),)
        if way == rollouts.DEVICES:
            text = request.POST.get(f"uids-{number}", "")
            values = tuple(text.replace(",", " ").split())
        found.append(
            Wish(
                way,
                values,
                percent=_number(request, f"percent-{number}"),
                success=_number(request, f"success-{number}"),
                error=_number(request, f"error-{number}"),
            )
        )
    return found


def _number(request: HttpRequest, name: str) -> int:
    text = request.POST.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 4 else 0


def _hours(request: HttpRequest) -> tuple[int, int] | None:
    """Return the minutes of the day of the form. Raises InvalidError."""
    texts = [request.POST.get(name, "") for name in ("begins", "ends")]
    if not any(texts):
        return None
    try:
        moments = [typed.read_clock(text) for text in texts]
    except ValueError as error:
        raise InvalidError("fleet.hours_wrong") from error
    begin, end = (moment.hour * 60 + moment.minute for moment in moments)
    return begin, end


def _words(wish: Wish, names: dict[str, str]) -> str:
    """Return in words whom a stage takes."""
    if wish.by == rollouts.PERCENT:
        return f"{wish.percent} % số máy"
    if wish.by in {rollouts.COMMUNE, rollouts.GROUP}:
        return ", ".join(names.get(uid, uid) for uid in wish.values)
    return WAYS.get(wish.by, wish.by)


@require_safe
def show(request: HttpRequest, uid: str) -> HttpResponse:
    """Show how far a rollout is, stage by stage, and what failed."""
    at = timezone.now()
    officer = officer_of(request)
    rollout = access.access_rollout(officer, uid, at=at)
    counts = queries.count_targets(rollout)
    if wants_json(request):
        return JsonResponse({**_facts(rollout), "stages": counts})
    rows = _rows(request, rollout, at)
    context = {
        "rollout": rollout,
        "stages": [
            (stage, _bar(counts.get(stage.number, {})))
            for stage in rollout.stages.order_by("number")
        ],
        "page": Paginator(rows, PER_PAGE).get_page(request.GET.get("trang")),
        "targets": rollouts.TARGETS.items(),
        "causes": queries.count_target_causes(rollout),
        "asked": request.GET,
        "moves": rollouts.MOVES[rollout.state],
        "may_release": access.can_release(officer, at=at),
    }
    return render(request, "fleet/rollout.html", context)


def _bar(counts: dict[str, int]) -> dict[str, Any]:
    """Return a stage as pieces of a bar a thousand wide, and its figures."""
    total, x, pieces = sum(counts.values()), 0.0, []
    for state, name in rollouts.TARGETS.items():
        n = counts.get(state, 0)
        if n:
            width = 1000 * n / total
            pieces.append({"state": state, "name": name, "n": n, "x": x, "w": width})
            x += width
    return {"total": total, "pieces": pieces}


def _rows(
    request: HttpRequest, rollout: Rollout, at: datetime
) -> QuerySet[RolloutTarget]:
    rows = rollout.targets.filter(
        device__in=access.fence_devices(officer_of(request), at=at)
    )
    state = request.GET.get("trang_thai", "")
    if state in rollouts.TARGETS:
        rows = rows.filter(state=state)
    rows = rows.select_related("device__unit", "stage")
    return rows.order_by("stage__number", "device__name_order", "pk")


@require_safe
def export(request: HttpRequest, uid: str) -> HttpResponse:
    """Send a rollout's devices as a table file."""
    at = timezone.now()
    rollout = access.access_rollout(officer_of(request), uid, at=at)
    head = (
        "Mã thiết bị", "Tên", "Nơi đặt", "Chặng", "Trạng thái", "Nguyên nhân",
        "Bản trước", "Báo máy lúc", "Đổi lúc",
    )  # fmt: skip
    rows = (
        (
            row.device.uid,
            row.device.name,
            row.device.unit.full_name,
            row.stage.number,
            row.state_name,
            row.cause_words,
            row.former,
            queries.local_text(row.told_at),
            queries.local_text(row.moved_at),
        )
        for row in _rows(request, rollout, at)
    )
    return table_file(f"cap-nhat-{rollout.uid}", head, rows)


@require_POST
def move(request: HttpRequest, uid: str, verb: str) -> HttpResponse:
    """Pause, go on, give up, or send everybody back."""
    at = timezone.now()
    officer = officer_of(request)
    rollout = access.access_rollout(officer, uid, at=at)
    rollout = actions.move_rollout(
        rollout_id=rollout.pk, new=VERBS[verb], by=officer, at=at
    )
    to = reverse("fleet:rollout", args=[rollout.uid])
    return done(request, to=to, data=_facts(rollout))


def _facts(rollout: Rollout) -> dict[str, Any]:
    return {
        "rollout": rollout.uid,
        "version": rollout.release.version,
        "state": rollout.state,
        "stage": rollout.stage,
    }
