"""Screens of the register: one device's paper, tables in and out, labels to print."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from nguon.core.errors import InvalidError
from nguon.fleet import access, actions, qr, queries, register, tables
from nguon.fleet.models import ACTIVE, Device, Registration
from nguon.fleet.models.register import POWERS
from nguon.people import access as people
from nguon.people.answers import done, officer_of, table_file, wants_json
from nguon.people.models import Officer

EXPORT_LIMIT = 60_000
SHOWN = 300
LABELS = 200
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# Which column is asked for how; everything else is a line of text.
KINDS = {
    "sim_expires_date": "day", "purchased_date": "day", "warranty_date": "day",
    "hours_from": "clock", "hours_to": "clock",
}  # fmt: skip
GROUPS = (
    ("Máy", ("make", "model", "serial", "amplifier_w", "horns", "mounting")),
    ("Điện và giờ bật", ("power", "battery", "hours_from", "hours_to", "mast")),
    ("SIM và vị trí", ("sim_number", "sim_expires_date", "data_plan_mb", "lat", "lon")),
    (
        "Mua và bảo trì",
        (
            "purchased_date", "price", "funding", "warranty_date", "contract",
            "contractor", "repair_hours", "notes",
        ),
    ),
)  # fmt: skip


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, uid: str) -> HttpResponse:
    """Show and change the paper of one device."""
    at = timezone.now()
    officer = officer_of(request)
    device = access.access_device(officer, uid, at=at)
    paper = Registration.objects.filter(device=device).first() or Registration(
        device=device
    )
    error = ""
    told = {name: _shown(name, device, paper) for name in register.BY_NAME}
    covered = set(paper.villages.values_list("pk", flat=True)) if paper.pk else set()
    if request.method == "POST":
        told = {name: request.POST.get(name, "") for name in register.BY_NAME}
        covered = {int(k) for k in request.POST.getlist("village") if k.isdecimal()}
        try:
            _save(device, told, covered, by=officer, at=at)
        except register.WrongCellError as wrong:
            error = str(wrong)
        else:
            if not wants_json(request):
                messages.success(request, "Đã lưu hồ sơ thiết bị.")
            to = reverse("fleet:device", args=[device.uid])
            return done(request, to=to, data={"device": device.uid})
    may_keep = access.can_keep(officer, unit=device.unit, at=at)
    context = {
        "device": device,
        "label": paper.label,
        "groups": [
            (title, [_field(name, told) for name in fields]) for title, fields in GROUPS
        ],
        "powers": POWERS.items(),
        "villages": access.list_near_villages(device),
        "covered": covered,
        "error": error,
        "may_keep": may_keep,
        "closed": not may_keep,
    }
    return render(request, "fleet/paper.html", context, status=422 if error else 200)


def _save(
    device: Device,
    told: dict[str, str],
    covered: set[int],
    *,
    by: Officer,
    at: datetime,
) -> None:
    told = {name: text for name, text in told.items() if name != "villages"}
    actions.change_registration(
        device_id=device.pk,
        values=register.read_values(told),
        villages=sorted(covered),
        by=by,
        at=at,
    )


def _shown(name: str, device: Device, paper: Registration) -> str:
    if name == "villages":
        return ""
    value = getattr(device if name in register.ON_DEVICE else paper, name)
    return str(register.written(name, value))


def _field(name: str, told: dict[str, str]) -> dict[str, str]:
    return {
        "name": name,
        "heading": register.BY_NAME[name].heading,
        "value": told[name],
        "kind": KINDS.get(name, "text"),
    }


@require_http_methods(["GET", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """Show how complete the register is; take a table."""
    at = timezone.now()
    officer = officer_of(request)
    kept = access.list_kept(officer, at=at)
    context: dict[str, Any] = {
        "may_keep": bool(kept),
        "headings": register.HEAD,
        "coverage": [
            (grade, queries.count_coverage(people.units_of(officer, at=at), at, grade))
            for grade in (1, 2, 3, 4)
        ],
        "shown": SHOWN,
    }
    status = 200
    if request.method == "POST":
        sent = request.FILES.get("file")
        if sent is None:
            raise InvalidError("territory.file_missing")
        paths = people.paths_of(officer, at=at, kinds=access.KEEPERS)
        rows = tables.read(sent.read(tables.MAX_BYTES + 1))
        reading = register.read(rows, ground=paths)
        take_good = request.POST.get("take_good") == "1"
        context |= {"reading": reading, "problems": reading.problems[:SHOWN]}
        if reading.problems and not take_good:
            status = 422
        else:
            context["written"] = actions.import_registrations(
                reading=reading, take_good=take_good, by=officer, at=at
            )
    return render(request, "fleet/register.html", context, status=status)


@require_safe
def export(request: HttpRequest) -> HttpResponse:
    """Send the register as CSV, or as XLSX (`?dang=xlsx`)."""
    at = timezone.now()
    rows = (register.row_of(device) for device in _registered(request, at))
    if request.GET.get("dang") != "xlsx":
        return table_file("ho-so-thiet-bi", register.HEAD, rows)
    answer = HttpResponse(tables.write_xlsx(register.HEAD, rows), content_type=XLSX)
    answer["Content-Disposition"] = 'attachment; filename="ho-so-thiet-bi.xlsx"'
    return answer


def _registered(request: HttpRequest, at: datetime) -> QuerySet[Device]:
    """Return the devices of a table or of labels, with all that is shown of them."""
    officer = officer_of(request)
    devices = access.fence_devices(officer, at=at).filter(
        state=ACTIVE, registration__isnull=False
    )
    if request.GET.get("xa"):
        unit = people.access_unit(officer, request.GET["xa"][:12], at=at)
        devices = devices.filter(unit__path__startswith=unit.path)
    if request.GET.get("may"):
        devices = devices.filter(uid=request.GET["may"][:12])
    related = ("unit", "unit__parent", "registration")
    found = devices.select_related(*related).order_by("unit__path", "name_order", "pk")
    return found.prefetch_related("registration__villages")[:EXPORT_LIMIT]


@require_safe
def labels(request: HttpRequest) -> HttpResponse:
    """Show labels with QR codes, to be printed and put on the poles."""
    at = timezone.now()
    found = list(_registered(request, at)[: LABELS + 1])
    context = {
        "labels": [_label(device) for device in found[:LABELS]],
        "more": len(found) > LABELS,
        "limit": LABELS,
        "units": access.list_grounds(officer_of(request), at=at),
        "asked": request.GET,
    }
    return render(request, "fleet/labels.html", context)


def _label(device: Device) -> dict[str, Any]:
    """Return a label: the device, its address, and its code as an SVG path."""
    path = reverse("fleet_public:report", args=[device.registration.label])
    address = f"{settings.PUBLIC_URL}{path}"
    drawn = qr.draw(address)
    return {
        "device": device,
        "code": device.registration.label,
        "address": address,
        "size": drawn.size,
        "dots": drawn.dots,
    }
