"""Screens of putting up a device: the job on the installer's phone, its protocol.

The phone may be without signal: `install.js` keeps the job there and sends it later,
`offline.js` keeps the page. Without JavaScript the same form is sent at once.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.contrib.staticfiles import finders
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import (
    FileResponse,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
)
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from nguon.core.errors import AbsentError, InvalidError
from nguon.fleet import access, actions, files, health, installing, queries
from nguon.fleet.models import Device, Health, Installation, Registration
from nguon.people.answers import done, officer_of, table_file, wants_json
from nguon.people.models import Officer
from nguon.territory import names

PER_PAGE, EXPORT_LIMIT = 50, 50_000
_DECIMAL = re.compile(r"-?\d{1,3}([.,]\d{1,12})?")


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """List jobs, the unfinished first; a label's code leads to its device."""
    at = timezone.now()
    officer = officer_of(request)
    code = request.GET.get("nhan", "").strip()[:20]
    if code:
        device = queries.find_labelled(code)
        seen = access.fence_devices(officer, at=at)
        if device is None or not seen.filter(pk=device.pk).exists():
            raise AbsentError("fleet.label_unknown")
        return redirect("fleet:install", device.uid)
    page = Paginator(_found(request, officer, at), PER_PAGE).get_page(
        request.GET.get("trang")
    )
    waiting = access.fence_devices(officer, at=at).filter(
        installations__isnull=True, kind="speaker"
    )
    context = {
        "page": page,
        "asked": request.GET,
        "bare": queries.load_devices(
            list(waiting.order_by("-enrolled_at").values_list("pk", flat=True)[:20])
        ),
        "may_keep": bool(access.list_kept(officer, at=at)),
    }
    return render(request, "fleet/installs.html", context)


def _found(
    request: HttpRequest, officer: Officer, at: datetime
) -> QuerySet[Installation]:
    found = access.fence_installations(officer, at=at)
    found = found.select_related("device", "unit", "by")
    text = request.GET.get("tim", "").replace("\0", "").strip()[:60]
    if text:
        found = found.filter(
            Q(device__name__icontains=text)
            | Q(unit__folded__contains=names.fold(text))
            | Q(uid=text)
        )
    if request.GET.get("chua_xong"):
        found = found.filter(finished_at__isnull=True)
    return found.order_by("-started_at", "-pk")


@require_safe
def export(request: HttpRequest) -> HttpResponse:
    """Send the list as a table file."""
    found = _found(request, officer_of(request), timezone.now())[:EXPORT_LIMIT]
    head = (
        "Mã biên bản", "Thiết bị", "Nơi đặt", "Người lắp", "Bắt đầu", "Xong lúc",
        "Bằng chứng", "Vĩ độ", "Kinh độ", "Ghi chú",
        *installing.STEPS.values(),
    )  # fmt: skip
    rows = (
        (
            row.uid,
            row.device.name,
            row.unit.full_name,
            row.by.full_name,
            queries.local_text(row.started_at),
            queries.local_text(row.finished_at),
            health.GRADE_WORDS.get(row.grade, ""),
            row.lat,
            row.lon,
            row.notes,
            *(
                installing.ANSWERS.get(row.steps.get(s, ""), "")
                for s in installing.STEPS
            ),
        )
        for row in found
    )
    return table_file("lap-dat", head, rows)


def _steps(row: Installation, unseen: str) -> list[tuple[str, str]]:
    """Return each step and what the installer found."""
    return [
        (name, installing.ANSWERS.get(row.steps.get(step, ""), unseen))
        for step, name in installing.STEPS.items()
    ]


@require_http_methods(["GET", "POST"])
def install(request: HttpRequest, uid: str) -> HttpResponse:
    """Show the job at one device; take it as the phone has it."""
    at = timezone.now()
    officer = officer_of(request)
    device = access.access_device(officer, uid, at=at)
    access.check_keeper(officer, unit=device.unit, at=at)
    if request.method == "POST":
        job = read_job(request, at=at)
        saved = actions.save_installation(
            device_id=device.pk, job=job, by=officer, at=at
        )
        if not wants_json(request):
            messages.success(request, "Đã lưu việc lắp đặt.")
        to = reverse("fleet:install", args=[device.uid]) + f"?viec={saved.client}"
        if saved.finished_at:
            to = reverse("fleet:protocol", args=[saved.uid])
        return done(request, to=to, data=_facts(saved, device))
    row = _asked(request, device, officer)
    paper = Registration.objects.filter(device=device).first()
    context = {
        "device": device,
        "row": row,
        "client": row.client if row else uuid4(),
        "revision": (row.revision if row else 0) + 1,
        "now": at.isoformat(),
        "signs": _signs(device),
        "answers": installing.ANSWERS.items(),
        "villages": access.list_near_villages(device),
        "covered": set(paper.villages.values_list("pk", flat=True)) if paper else set(),
        "label": paper.label if paper else "",
        "proof": _proof(row),
        "photos_left": installing.MAX_PHOTOS,
    }
    return render(request, "fleet/install.html", context)


def _asked(
    request: HttpRequest, device: Device, officer: Officer
) -> Installation | None:
    """Return the officer's own job that is asked for, or the unfinished one."""
    mine = Installation.objects.filter(device=device, by=officer)
    client = _uuid(request.GET.get("viec", ""))
    if client:
        return mine.filter(client=client).first()
    return mine.filter(finished_at__isnull=True).order_by("-pk").first()


@require_POST
def tone(request: HttpRequest, uid: str) -> HttpResponse:
    """Have the device sound its test tone for this job."""
    at = timezone.now()
    officer = officer_of(request)
    device = access.access_device(officer, uid, at=at)
    client = _uuid(request.POST.get("client", ""))
    if client is None:
        raise InvalidError("fleet.installation_malformed")
    row = actions.sound_tone(device_id=device.pk, client=client, by=officer, at=at)
    to = reverse("fleet:install", args=[device.uid]) + f"?viec={row.client}"
    return done(request, to=to, data=_facts(row, device))


@require_safe
def look(request: HttpRequest, uid: str) -> HttpResponse:
    """Answer how the device is now and what became of the tone: for the phone."""
    at = timezone.now()
    officer = officer_of(request)
    device = access.access_device(officer, uid, at=at)
    mine = Installation.objects.filter(device=device, by=officer)
    client = _uuid(request.GET.get("client", ""))
    row = mine.filter(client=client).first() if client else None
    return JsonResponse(_facts(row, device))


@require_safe
def protocol(request: HttpRequest, uid: str) -> HttpResponse:
    """Show a job as its protocol, to be printed and signed."""
    row = access.access_installation(officer_of(request), uid, at=timezone.now())
    if wants_json(request):
        return JsonResponse(_facts(row, row.device))
    paper = Registration.objects.filter(device=row.device).first()
    context = {
        "row": row,
        "device": row.device,
        "paper": paper,
        "villages": paper.villages.order_by("folded") if paper else [],
        "steps": _steps(row, "chưa xem"),
        "took": row.finished_at - row.started_at if row.finished_at else None,
        "photos": row.photos.select_related("media").order_by("pk"),
    }
    return render(request, "fleet/protocol.html", context)


@require_safe
def photo(request: HttpRequest, uid: str, photo_id: int) -> HttpResponseBase:
    """Send one photo of a job to whoever may see it."""
    row = access.access_installation(officer_of(request), uid, at=timezone.now())
    found = row.photos.select_related("media").filter(pk=photo_id).first()
    if found is None:
        raise AbsentError("fleet.media_absent")
    return files.serve(request, found.media)


@require_safe
def worker(request: HttpRequest) -> HttpResponseBase:
    """Send the service worker from the folder that it may keep pages of."""
    path = finders.find("fleet/offline.js")
    if not isinstance(path, str):
        raise AbsentError("fleet.media_absent")
    return FileResponse(open(path, "rb"), content_type="text/javascript")  # noqa: PTH123


# --- reading a phone's words ---------------------------------------------------------


def read_job(request: HttpRequest, *, at: datetime) -> actions.Job:
    """Return the job in a form. Raises InvalidError `fleet.installation_malformed`.

    The phone's clock may be wrong: it tells when it sent, and all its moments are
    moved by what that is off.
    """
    told = request.POST
    client = _uuid(told.get("client", ""))
    revision = told.get("revision", "")
    started = _moment(told.get("started_at", ""))
    if client is None or started is None or not revision.isdecimal():
        raise InvalidError("fleet.installation_malformed")
    off = at - (_moment(told.get("sent_at", "")) or at)
    heard, ended = (_moment(told.get(n, "")) for n in ("heard_at", "ended_at"))
    if told.get("heard_now"):
        heard = at - off
    steps = {s: told[s] for s in installing.STEPS if told.get(s)}
    accuracy = told.get("accuracy_m", "")
    keys = [key for key in told.getlist("village") if key.isdecimal()]
    return actions.Job(
        client=client,
        revision=int(revision[:9]),
        started_at=started + off,
        ended_at=ended + off if ended else None,
        heard_at=heard + off if heard else None,
        steps=steps,
        lat=_degrees(told.get("lat", "")),
        lon=_degrees(told.get("lon", "")),
        accuracy_m=int(accuracy) if accuracy.isdecimal() else None,
        villages=[int(key) for key in keys] if "villages_shown" in told else None,
        notes=" ".join(told.get("notes", "").replace("\0", "").split()),
        photos=[sent.read() for sent in request.FILES.getlist("photo") if sent.size],
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _moment(text: str) -> datetime | None:
    """Return an aware moment of an ISO text, or None."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None


def _degrees(text: str) -> float | None:
    if not text.strip():
        return None
    if not _DECIMAL.fullmatch(text.strip()):
        raise InvalidError("fleet.installation_place")
    return float(text.replace(",", "."))


def _signs(device: Device) -> list[installing.Sign]:
    row = Health.objects.filter(pk=device.pk).select_related("device").first()
    if row is None:
        row = Health(device=device)
    return installing.signs_of(
        queries.vitals_of(row), network=row.network, operator=row.operator
    )


def _proof(row: Installation | None) -> tuple[int, datetime] | None:
    """Return what the device has proven of this job's tone by now."""
    if row is None:
        return None
    seen = Health.objects.filter(pk=row.device_id).first()
    if seen is None:
        return None
    measures = seen.heard is not None or seen.measured_at is not None
    return installing.proof_of(seen.evidence, tone_at=row.tone_at, measures=measures)


def _refusal(row: Installation | None, device: Device) -> str:
    """Return why the device did not sound this job's tone, if it said so."""
    if row is None or row.tone_at is None:
        return ""
    since = row.tone_at - timedelta(seconds=5)
    told = device.events.filter(type="missed", at__gte=since, item="")
    event = told.order_by("-pk").first()
    return str(event.data.get("cause", "")) if event else ""


def _facts(row: Installation | None, device: Device) -> dict[str, Any]:
    proof = _proof(row)
    return {
        "installation": row.uid if row else "",
        "client": str(row.client) if row else "",
        "revision": row.revision if row else 0,
        "tone_at": row.tone_at if row else None,
        "heard_at": row.heard_at if row else None,
        "grade": proof[0] if proof else 0,
        "proof": health.GRADE_WORDS[proof[0]] if proof else "",
        "refused": REFUSALS.get(_refusal(row, device), ""),
        "finished_at": row.finished_at if row else None,
        "protocol": reverse("fleet:protocol", args=[row.uid]) if row else "",
        "signs": [
            {"step": s.step, "words": s.words, "look": s.look} for s in _signs(device)
        ],
    }


REFUSALS = {
    "quiet": "Đang giờ yên lặng nên máy không kêu. Hãy thử lại ngoài giờ yên lặng.",
    "no_plan": "Máy chưa có lịch của xã nên không kêu. Hãy chờ một phút rồi thử lại.",
    "outranked": "Máy đang phát bản tin. Hãy thử lại khi phát xong.",
    "stopped": "Đang có lệnh dừng phát ở đây nên máy không kêu.",
    "clock": "Đồng hồ của máy chưa đúng nên máy không kêu. Hãy chờ máy nối máy chủ.",
}
