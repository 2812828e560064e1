"""Screens of device groups: the list, one group, and choosing one for devices."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from nguon.core.errors import InvalidError
from nguon.fleet import access, actions, commands, queries
from nguon.fleet.models import ACTIVE, Device, DeviceGroup
from nguon.people import access as people
from nguon.people.answers import done, officer_of, table_file, wants_json

PER_PAGE = 50


def _found(request: HttpRequest) -> QuerySet[DeviceGroup]:
    """Return the groups that the officer sees and asks for."""
    found = access.fence_groups(officer_of(request), at=timezone.now())
    text = request.GET.get("tim", "").replace("\0", "").strip()[:60]
    if text:
        found = found.filter(name__icontains=text)
    rows = found.select_related("unit").annotate(size=Count("members"))
    return rows.order_by("name", "pk")


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """List the groups on the officer's ground."""
    page = Paginator(_found(request), PER_PAGE).get_page(request.GET.get("trang"))
    if wants_json(request):
        rows = [{"group": group.uid, "name": group.name} for group in page]
        return JsonResponse({"groups": rows})
    may = bool(access.list_kept(officer_of(request), at=timezone.now()))
    context = {"page": page, "asked": request.GET, "may_keep": may}
    return render(request, "fleet/groups.html", context)


@require_safe
def export(request: HttpRequest) -> HttpResponse:
    """Send the groups as a table file, one row for each device."""
    head = ("Nhóm", "Của", "Mã thiết bị", "Tên thiết bị", "Nơi đặt")
    rows = (
        (group.name, group.unit.full_name, one.uid, one.name, one.unit.full_name)
        for group in _found(request)
        for one in queries.list_members(group).select_related("unit")
    )
    return table_file("nhom-thiet-bi", head, rows)


@require_http_methods(["GET", "POST"])
def show(request: HttpRequest, uid: str) -> HttpResponse:
    """Show a group's devices; rename it, or take the ticked ones out."""
    at = timezone.now()
    officer = officer_of(request)
    group = access.access_group(officer, uid, at=at)
    if request.method == "POST":
        if "name" in request.POST:
            actions.save_group(
                group=group, unit=group.unit, name=request.POST["name"],
                by=officer, at=at,
            )  # fmt: skip
        else:
            ticked = Device.objects.filter(uid__in=request.POST.getlist("may"))
            count = actions.leave_group(group=group, devices=ticked, by=officer, at=at)
            messages.success(request, f"Đã bỏ {count} máy khỏi nhóm.")
        to = reverse("fleet:group", args=[group.uid])
        return done(request, to=to, data={"group": group.uid})
    members = queries.list_members(group).select_related("unit")
    page = Paginator(members, PER_PAGE).get_page(request.GET.get("trang"))
    if wants_json(request):
        return JsonResponse({"group": group.uid, "devices": [d.uid for d in page]})
    context = {
        "group": group,
        "page": page,
        "may_keep": access.can_keep(officer, unit=group.unit, at=at),
    }
    return render(request, "fleet/group.html", context)


@require_http_methods(["GET", "POST"])
def join(request: HttpRequest) -> HttpResponse:
    """Put the ticked devices into a group, or into a new one."""
    at = timezone.now()
    officer = officer_of(request)
    sent = request.POST if request.method == "POST" else request.GET
    ticked = sent.getlist("may")[: commands.MAX_BATCH]
    kept = access.fence_kept(officer, at=at).filter(state=ACTIVE)
    devices = kept.filter(uid__in=ticked)
    units = access.list_kept(officer, at=at)
    if request.method == "GET":
        if not devices.exists():
            raise InvalidError("fleet.batch_empty")
        context = {
            "devices": devices.order_by("name_order", "pk"),
            "groups": access.fence_groups(officer, at=at).order_by("name", "pk"),
            "units": units,
        }
        return render(request, "fleet/group_join.html", context)
    if sent.get("group"):
        group = access.access_group(officer, sent["group"][:12], at=at)
    else:
        unit = people.access_unit(officer, sent.get("unit", "")[:12], at=at)
        group = actions.save_group(
            unit=unit, name=sent.get("name", ""), by=officer, at=at
        )
    count = actions.join_group(group=group, devices=devices, by=officer, at=at)
    messages.success(request, f"Đã thêm {count} máy vào nhóm.")
    to = reverse("fleet:group", args=[group.uid])
    return done(request, to=to, data={"group": group.uid, "added": count})
