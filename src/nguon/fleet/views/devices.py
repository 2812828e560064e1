"""Screens of the fleet: the list, one device, waiting enrolments, claim codes."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
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

from nguon.core.errors import InvalidError
from nguon.fleet import access, actions, commands, health, picture, queries, repairs
from nguon.fleet.models import (
    KINDS,
    STATES,
    WAITING,
    Claim,
    Device,
    Health,
    Registration,
    SavedView,
)
from nguon.people import access as people
from nguon.people.answers import done, officer_of, table_file, wants_json
from nguon.people.models import Officer
from nguon.territory.models import Unit

PER_PAGE = 50
EXPORT_LIMIT = 50_000
LATEST_EVENTS = 20
LATEST_FAULTS = 10
LATEST_COMMANDS = 8
MAX_CHANGES = 2_000
GRADES = (
    ("2", "Có bằng chứng kêu"),
    ("3", "Tăng âm có chạy"),
    ("4", "Đo được tiếng"),
    ("0", "Không có bằng chứng"),
)
LANGUAGES = (
    ("vi", "Tiếng Việt"),
    ("jra", "Jrai"),
    ("bdq", "Bahnar"),
    ("hre", "H'rê"),
    ("cjm", "Chăm H'roi"),
    ("rad", "Ê Đê"),
)


def wanted_of(request: HttpRequest, officer: Officer, at: datetime) -> queries.Wanted:
    """Return what a list or map is asked for; unknown words ask for nothing."""
    asked = request.GET
    path = ""
    if asked.get("xa"):
        path = people.access_unit(officer, asked["xa"][:12], at=at).path
    group = ""
    if asked.get("nhom"):
        group = access.access_group(officer, asked["nhom"][:12], at=at).uid
    state = health.SILENT if asked.get("im_lang") else asked.get("tinh_trang", "")
    grade = asked.get("bang_chung", "")
    connected = {"co": True, "khong": False}.get(asked.get("noi", ""))
    return queries.Wanted(
        text=asked.get("tim", "").replace("\0", "").strip()[:60],
        standing=asked.get("trang_thai", ""),
        state=state,
        cause=asked.get("loi", ""),
        unit_path=path,
        group=group,
        make=asked.get("hang", "").replace("\0", "")[:60],
        grade=int(grade) if grade in {"0", "1", "2", "3", "4"} else None,
        connected=connected,
        faulty=bool(asked.get("hong")),
    )


# So long a device's page tells that its rehearsal is behind it.
PASSED_SHOWN = timedelta(days=3)


def _found(request: HttpRequest, officer: Officer, at: datetime) -> QuerySet[Device]:
    """Return the devices that the officer sees and asks for."""
    return queries.filter_devices(
        access.fence_devices(officer, at=at),
        wanted_of(request, officer, at),
        at=at,
    )


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """List devices, the silent first."""
    at = timezone.now()
    officer = officer_of(request)
    keys = queries.list_keys(_found(request, officer, at))
    page = Paginator(keys, PER_PAGE).get_page(request.GET.get("trang"))
    devices = queries.load_devices(list(page))
    seen = access.fence_devices(officer, at=at)
    counts = queries.count_devices(seen, at=at)
    if wants_json(request):
        rows = [_facts(device) for device in devices]
        return JsonResponse({"devices": rows, "counts": counts})
    context = {
        "page": page,
        "devices": devices,
        "counts": counts,
        "asked": request.GET,
        "is_narrowed": any(v for k, v in request.GET.items() if k != "trang"),
        "standings": STATES.items(),
        "states": health.STATES.items(),
        "causes": [
            (cause, health.CAUSES[cause], n) for cause, n in queries.count_causes(seen)
        ],
        "makes": queries.list_makes(seen),
        "grades": GRADES,
        "at": at,
        "units": access.list_grounds(officer, at=at),
        "groups": access.fence_groups(officer, at=at).order_by("name", "pk"),
        "views": SavedView.objects.filter(officer=officer).order_by("name", "pk"),
        "query": _query_of(request),
        "may_keep": bool(access.list_kept(officer, at=at)),
    }
    return render(request, "fleet/devices.html", context)


def _query_of(request: HttpRequest) -> str:
    """Return the filters that are on, as they may be saved."""
    asked = request.GET.copy()
    asked.pop("trang", None)
    for name in [name for name, value in asked.items() if not value]:
        asked.pop(name)
    return asked.urlencode()[:400]


@require_POST
def keep_view(request: HttpRequest) -> HttpResponse:
    """Keep the filters that are on under a name, or drop a kept one."""
    at = timezone.now()
    officer = officer_of(request)
    key = request.POST.get("forget", "")
    if key.isdecimal():
        actions.forget_view(view_id=int(key), by=officer, at=at)
        return done(request, to=reverse("fleet:devices"), data={})
    view = actions.save_view(
        name=request.POST.get("name", "").replace("\0", ""),
        query=request.POST.get("query", "").replace("\0", ""),
        by=officer,
        at=at,
    )
    to = f"{reverse('fleet:devices')}?{view.query}"
    return done(request, to=to, data={"view": view.pk})


@require_safe
def export(request: HttpRequest) -> HttpResponse:
    """Send the list as a table file."""
    found = _found(request, officer_of(request), timezone.now())
    found = found.select_related("unit", "unit__parent", "health")[:EXPORT_LIMIT]
    head = (
        "Mã", "Tên", "Loại", "Nơi đặt", "Xã, phường", "Đăng ký", "Tình trạng",
        "Kết nối", "Nghe lần cuối", "Kêu được đến", "Âm lượng", "Phiên bản", "Mô phỏng",
    )  # fmt: skip
    rows = (
        (
            device.uid,
            device.name,
            device.kind_name,
            device.unit.full_name,
            _commune(device.unit).full_name,
            device.state_name,
            health_name(device),
            "có" if device.connected else "không",
            queries.local_text(device.last_heard_at),
            queries.local_text(_audible_until(device)),
            device.volume,
            device.version,
            "có" if device.simulated else "",
        )
        for device in found
    )
    return table_file("thiet-bi", head, rows)


@require_http_methods(["GET", "POST"])
def show(request: HttpRequest, uid: str) -> HttpResponse:
    """Show one device; take a change of its name, volume and languages."""
    at = timezone.now()
    officer = officer_of(request)
    device = access.access_device(officer, uid, at=at)
    if request.method == "POST":
        return _change(request, device, at)
    if wants_json(request):
        return JsonResponse(_facts(device))
    context = {
        "device": device,
        "above": _commune(device.unit),
        "events": device.events.order_by("-at", "-pk")[:LATEST_EVENTS],
        "languages": LANGUAGES,
        "language_names": [dict(LANGUAGES).get(c, c) for c in device.languages],
        "may_keep": access.can_keep(officer, unit=device.unit, at=at),
        "commands": device.commands.select_related("made_by", "batch", "log").order_by(
            "-made_at", "-pk"
        )[:LATEST_COMMANDS],
        "verbs": commands.NAMES.items(),
        "paper": Registration.objects.filter(device=device).first(),
        **_condition(request, device, at),
    }
    return render(request, "fleet/device.html", context)


def _condition(request: HttpRequest, device: Device, at: datetime) -> dict[str, Any]:
    """Return how a device is and was: signals, evidence, faults, repairs."""
    row = Health.objects.filter(pk=device.pk).select_related("device").first()
    if row is None:
        return {}
    days = 7 if request.GET.get("ngay") == "7" else 1
    since = at - timedelta(days=days)
    changes = device.signal_changes.filter(at__gte=since, at__lte=at)
    faults = device.faults.select_related("incident")
    return {
        "health": row,
        "days": days,
        "lanes": picture.draw_lanes(
            queries.list_signals(row, at=at),
            changes.order_by("-at", "-pk")[:MAX_CHANGES],
            since=since,
            at=at,
            born=device.decided_at,
        ),
        "marks": picture.hours_of(since, at),
        "day_rows": picture.draw_days(
            device.days.order_by("-day")[: picture.DAYS_SHOWN],
            last=at.astimezone(health.LOCAL).date() - timedelta(days=1),
        ),
        "evidence": queries.list_evidence(row, at=at),
        "is_audible": health.audible(row.evidence, at=at),
        "open_faults": faults.filter(closed_at__isnull=True).order_by(
            "opened_at", "pk"
        ),
        "past_faults": faults.filter(closed_at__isnull=False).order_by(
            "-opened_at", "-pk"
        )[:LATEST_FAULTS],
        "order": device.orders.filter(state__in=repairs.UNFINISHED).first(),
        "orders": device.orders.order_by("-opened_at", "-pk")[:5],
        "reports": device.reports.filter(closed_at__isnull=True).count(),
        "rehearsal": queries.find_rehearsal(device, ended_after=at - PASSED_SHOWN),
    }


def _change(request: HttpRequest, device: Device, at: datetime) -> HttpResponse:
    try:
        volume = int(request.POST.get("volume", ""))
    except ValueError as error:
        raise InvalidError("fleet.volume_range") from error
    known = dict(LANGUAGES)
    changed = actions.change_device(
        device_id=device.pk,
        name=request.POST.get("name", "").replace("\0", ""),
        volume=volume,
        languages=[code for code in request.POST.getlist("language") if code in known],
        by=officer_of(request),
        at=at,
    )
    return _answer(request, changed, "Đã lưu thiết bị.")


@require_POST
def decide(request: HttpRequest, uid: str, verb: str) -> HttpResponse:
    """Approve, reject or revoke one device, or have it sound a test."""
    at = timezone.now()
    officer = officer_of(request)
    device = access.access_device(officer, uid, at=at)
    asked: dict[str, Any] = {"device_id": device.pk, "by": officer, "at": at}
    if verb == "duyet":
        actions.approve_device(**asked)
        said = "Đã duyệt thiết bị."
    elif verb == "tu-choi":
        actions.reject_device(**asked)
        said = "Đã từ chối thiết bị."
    elif verb == "thu-hoi":
        actions.revoke_device(**asked)
        said = "Đã thu hồi thiết bị. Thiết bị bị ngắt ngay."
    else:
        actions.send_command(**asked, verb="test", args={})
        said = "Đã gửi lệnh thử. Lệnh hết hạn sau một phút."
    device.refresh_from_db()
    return _answer(request, device, said)


@require_http_methods(["GET", "POST"])
def waiting(request: HttpRequest) -> HttpResponse:
    """List who waits to be let in; let in those that are shown."""
    at = timezone.now()
    officer = officer_of(request)
    found = access.fence_devices(officer, at=at).filter(state=WAITING)
    found = found.select_related("unit", "unit__parent", "claim")
    if request.method == "POST":
        wanted = found.filter(uid__in=request.POST.getlist("device")[:PER_PAGE])
        keys = list(wanted.values_list("pk", flat=True))
        if not keys:
            raise InvalidError("fleet.nothing_chosen")
        devices = actions.approve_devices(device_ids=keys, by=officer, at=at)
        if not wants_json(request):
            messages.success(request, f"Đã duyệt {len(devices)} thiết bị.")
        data = {"devices": [_facts(device) for device in devices]}
        return done(request, to=reverse("fleet:waiting"), data=data)
    page = Paginator(found.order_by("enrolled_at", "pk"), PER_PAGE).get_page(
        request.GET.get("trang")
    )
    if wants_json(request):
        return JsonResponse({"devices": [_facts(device) for device in page]})
    kept = {unit.path for unit in access.list_kept(officer, at=at)}
    context = {"page": page, "may_keep": bool(kept)}
    return render(request, "fleet/waiting.html", context)


@require_http_methods(["GET", "POST"])
def claims(request: HttpRequest) -> HttpResponse:
    """Show the codes that nobody has used; make new ones."""
    at = timezone.now()
    officer = officer_of(request)
    if request.method == "POST":
        return _create_claims(request, officer, at)
    found = _open_claims(officer, at).order_by("-pk")
    context = {
        "page": Paginator(found, PER_PAGE).get_page(request.GET.get("trang")),
        "units": access.list_places(officer, at=at),
        "kinds": KINDS.items(),
        "may_keep": bool(access.list_kept(officer, at=at)),
        "limit": actions.MAX_CLAIMS,
    }
    return render(request, "fleet/claims.html", context)


def _create_claims(
    request: HttpRequest, officer: Officer, at: datetime
) -> HttpResponse:
    try:
        count = int(request.POST.get("count", "1"))
    except ValueError as error:
        raise InvalidError("fleet.claims_count", limit=actions.MAX_CLAIMS) from error
    if not 1 <= count <= actions.MAX_CLAIMS:
        raise InvalidError("fleet.claims_count", limit=actions.MAX_CLAIMS)
    name = request.POST.get("name", "").replace("\0", "").strip()[:110]
    names = [name] if count == 1 else [f"{name} {n}" for n in range(1, count + 1)]
    made = actions.create_claims(
        unit=people.access_unit(officer, request.POST.get("unit", "")[:12], at=at),
        kind=request.POST.get("kind", ""),
        names=names if name else [""],
        by=officer,
        at=at,
    )
    to = f"{reverse('fleet:print_claims')}?tu={made[0].pk}&den={made[-1].pk}"
    return done(request, to=to, data={"codes": [claim.code for claim in made]})


@require_safe
def print_claims(request: HttpRequest) -> HttpResponse:
    """Show codes large, to be printed and taken to the pole."""
    at = timezone.now()
    found = _open_claims(officer_of(request), at)
    for name, edge in (("tu", "pk__gte"), ("den", "pk__lte")):
        if request.GET.get(name, "").isdecimal():
            found = found.filter(**{edge: min(int(request.GET[name]), 2**62)})
    context = {
        "claims": found.order_by("pk")[: actions.MAX_CLAIMS],
        "server": settings.PUBLIC_URL,
    }
    return render(request, "fleet/print_claims.html", context)


def _open_claims(officer: Officer, at: datetime) -> QuerySet[Claim]:
    """Return the unused codes where the officer keeps devices."""
    found = people.fence(
        Claim.objects.filter(used_by__isnull=True, expires_at__gt=at),
        officer=officer,
        at=at,
        kinds=access.KEEPERS,
    )
    return found.select_related("unit", "unit__parent")


def _answer(request: HttpRequest, device: Device, said: str) -> HttpResponse:
    if not wants_json(request):
        messages.success(request, said)
    to = request.POST.get("next", "")
    own = reverse("fleet:device", args=[device.uid])
    to = to if to == reverse("fleet:waiting") else own
    return done(request, to=to, data=_facts(device))


def _facts(device: Device) -> dict[str, Any]:
    return {
        "device": device.uid,
        "name": device.name,
        "kind": device.kind,
        "state": device.state,
        "unit": device.unit.uid,
        "connected": device.connected,
        "health": getattr(getattr(device, "health", None), "state", None),
        "last_heard_at": device.last_heard_at,
        "simulated": device.simulated,
    }


def _commune(unit: Unit) -> Unit:
    return unit.parent if unit.kind == "village" and unit.parent else unit


def health_name(device: Device) -> str:
    """Return the state of health in Vietnamese; nothing before it was let in."""
    row = getattr(device, "health", None)
    return row.state_name if row else ""


def _audible_until(device: Device) -> datetime | None:
    row = getattr(device, "health", None)
    return row.audible_until if row else None
