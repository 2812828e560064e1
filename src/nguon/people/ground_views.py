"""The ground on screen: communes on a map, their villages, a list to import.

It stands here and not in `territory`, which knows no officers and no rights.
"""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from nguon.core.errors import AbsentError, InvalidError
from nguon.people import access
from nguon.people.answers import officer_of
from nguon.people.models import ADMINISTRATOR
from nguon.territory import actions, boundaries, names, queries, villages
from nguon.territory.models import COMMUNE, VILLAGE, Unit

SHOWN = 200


@require_safe
def list_units(request: HttpRequest) -> HttpResponse:
    """Show the communes of one's ground, on a map where it is known and as a list."""
    officer, at = officer_of(request), timezone.now()
    text = request.GET.get("q", "").strip()[:60]
    communes = access.fence(
        Unit.objects.as_of(timezone.localdate(at)).filter(kind=COMMUNE),
        officer=officer,
        at=at,
        unit="",
    )
    found = communes.filter(folded__contains=names.fold(text)) if text else communes
    province = communes.filter(parent__code=boundaries.PROVINCE_CODE)
    known = {unit.code: unit for unit in province}
    drawn = boundaries.draw()
    context = {
        "units": found.order_by("folded", "pk")[:SHOWN],
        "count": found.count(),
        "shown": SHOWN,
        "text": text,
        "map": drawn if len(known) > 1 and not text else None,
        "places": [(o, known.get(o.code)) for o in drawn.outlines],
        "administers": bool(access.paths_of(officer, at=at, kinds=[ADMINISTRATOR])),
    }
    return render(request, "people/units.html", context)


@require_safe
def show_unit(request: HttpRequest, uid: str) -> HttpResponse:
    """Show one commune: its villages, and what it was before."""
    officer, at = officer_of(request), timezone.now()
    unit = access.access_unit(officer, uid, at=at)
    if unit.kind == VILLAGE and unit.parent is not None:
        return redirect("territory:unit", uid=unit.parent.uid)
    if unit.kind != COMMUNE:
        raise AbsentError("people.not_your_ground")
    context = {
        "unit": unit,
        "villages": queries.list_villages(unit, day=timezone.localdate(at)),
        "before": queries.list_predecessors(unit),
        "administers": access.can(officer, ADMINISTRATOR, unit=unit, at=at),
    }
    return render(request, "people/unit.html", context)


@require_safe
def ask_villages(request: HttpRequest) -> HttpResponse:
    """Ask for a list of villages."""
    access.check_administrator(officer_of(request), at=timezone.now())
    kinds = ", ".join(names.VILLAGE_KINDS)
    return render(request, "people/import.html", {"kinds": kinds})


@require_safe
def sample_villages(request: HttpRequest) -> HttpResponse:
    """Give a small list that spreadsheets open with Vietnamese letters intact."""
    answer = HttpResponse("\ufeff" + villages.SAMPLE, content_type="text/csv")
    answer["Content-Disposition"] = 'attachment; filename="danh-sach-thon.csv"'
    return answer


@require_POST
def preview_villages(request: HttpRequest) -> HttpResponse:
    """Show what a file would bring, and every wrong row. Changes nothing."""
    officer, at = officer_of(request), timezone.now()
    access.check_administrator(officer, at=at)
    file = request.FILES.get("file")
    if file is None:
        raise InvalidError("territory.file_missing")
    text = villages.decode(file.read(villages.MAX_BYTES + 1))
    ground = access.paths_of(officer, at=at, kinds=[ADMINISTRATOR])
    reading = villages.read(text, ground=ground)
    context = {
        "reading": reading,
        "text": text,
        "problems": reading.problems[:SHOWN],
        "fresh": reading.fresh[:SHOWN],
        "shown": SHOWN,
    }
    return render(request, "people/import_preview.html", context)


@require_POST
def import_villages(request: HttpRequest) -> HttpResponse:
    """Import the list that was looked at."""
    officer, at = officer_of(request), timezone.now()
    access.check_administrator(officer, at=at)
    reading = actions.import_villages(
        text=request.POST.get("text", ""),
        ground=access.paths_of(officer, at=at, kinds=[ADMINISTRATOR]),
        by=officer,
        at=at,
        keep_good=request.POST.get("keep_good") == "1",
    )
    messages.success(
        request,
        f"Đã thêm {len(reading.fresh)} thôn, sửa {len(reading.changed)}, "
        f"bỏ {len(reading.problems)} dòng.",
    )
    return redirect(reverse("territory:units"))
