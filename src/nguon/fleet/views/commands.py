"""Screens of commands: choose, look a second time, send, follow a batch; logs."""

from datetime import datetime
from typing import Any

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

from nguon.core.errors import AbsentError, InvalidError
from nguon.fleet import access, actions, commands, queries
from nguon.fleet.models import ACTIVE, Batch, Command, Device, DeviceLog
from nguon.fleet.views.devices import PER_PAGE, wanted_of
from nguon.people.answers import done, officer_of, table_file, wants_json
from nguon.people.models import Officer


def _chosen(request: HttpRequest, officer: Officer, at: datetime) -> QuerySet[Device]:
    """Return the active devices that are ticked, or else that the filters keep."""
    kept = access.fence_kept(officer, at=at).filter(state=ACTIVE)
    ticked = request.GET.getlist("may")[: commands.MAX_BATCH]
    if ticked:
        return kept.filter(uid__in=ticked)
    return queries.filter_devices(kept, wanted_of(request, officer, at), at=at)


def _words(request: HttpRequest, officer: Officer, at: datetime) -> str:
    """Return in words how the devices were chosen."""
    if request.GET.getlist("may"):
        return "chọn từng máy"
    wanted = wanted_of(request, officer, at)
    return queries.wanted_words(wanted)


@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Choose a command for chosen devices; show it once more; then send it.

    The second look is a page of its own, which names the number of devices; without
    that number nothing is sent.
    """
    at = timezone.now()
    officer = officer_of(request)
    devices = _chosen(request, officer, at)
    if request.method == "POST" and request.POST.get("sure", "").isdecimal():
        return _send(request, officer, devices, at)
    counts = queries.count_for_command(devices, at=at)
    context: dict[str, Any] = {
        "counts": counts,
        "chosen": _words(request, officer, at),
        "some": queries.load_devices(list(queries.list_keys(devices)[:5])),
        "verbs": commands.NAMES.items(),
        "query": request.GET.urlencode(),
    }
    if request.method == "POST":
        verb, args = _asked(request)
        commands.check_size(verb, counts["devices"])
        context |= {"verb": verb, "name": commands.NAMES[verb], "args": args}
        return render(request, "fleet/command_sure.html", context)
    return render(request, "fleet/command.html", context)


def _asked(request: HttpRequest) -> tuple[str, dict[str, Any]]:
    """Return the command that a form asks for. Raises InvalidError."""
    verb = request.POST.get("verb", "")
    args: dict[str, Any] = {"force": request.POST.get("force") == "1"}
    if verb == commands.VOLUME:
        try:
            args["volume"] = int(request.POST.get("volume", ""))
        except ValueError as error:
            raise InvalidError("fleet.volume_range") from error
    return verb, commands.check_args(verb, args)


def _send(
    request: HttpRequest, officer: Officer, devices: QuerySet[Device], at: datetime
) -> HttpResponse:
    verb, args = _asked(request)
    batch = actions.send_batch(
        devices=devices,
        verb=verb,
        args=args,
        chosen=_words(request, officer, at),
        expected=int(request.POST["sure"][:9]),
        by=officer,
        at=at,
    )
    to = reverse("fleet:batch", args=[batch.uid])
    return done(request, to=to, data={"batch": batch.uid, "size": batch.size})


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """List the batches that went to devices on the officer's ground."""
    at = timezone.now()
    officer = officer_of(request)
    found = access.fence_batches(officer, at=at).select_related("made_by")
    verb = request.GET.get("lenh", "")
    if verb in commands.NAMES:
        found = found.filter(verb=verb)
    text = request.GET.get("tim", "").replace("\0", "").strip()[:60]
    if text:
        found = found.filter(chosen__icontains=text)
    page = Paginator(found.order_by("-made_at", "-pk"), PER_PAGE).get_page(
        request.GET.get("trang")
    )
    if wants_json(request):
        return JsonResponse({"batches": [batch.uid for batch in page]})
    context = {
        "page": page,
        "asked": request.GET,
        "verbs": commands.NAMES.items(),
        "progress": queries.count_commands([batch.pk for batch in page]),
        "may_keep": bool(access.list_kept(officer, at=at)),
    }
    return render(request, "fleet/batches.html", context)


def _rows(request: HttpRequest, batch: Batch, at: datetime) -> QuerySet[Command]:
    """Return a batch's commands on the officer's ground, as far as asked for."""
    mine = access.fence_devices(officer_of(request), at=at)
    rows = batch.commands.filter(device__in=mine)
    state = request.GET.get("trang_thai", "")
    if state in commands.STATES:
        rows = rows.filter(state=state)
    rows = rows.select_related("device__unit", "device__unit__parent", "log")
    return rows.order_by("device__name_order", "pk")


@require_safe
def show(request: HttpRequest, uid: str) -> HttpResponse:
    """Show how far a batch is, and each device's answer."""
    at = timezone.now()
    officer = officer_of(request)
    batch = access.access_batch(officer, uid, at=at)
    counts = queries.count_commands([batch.pk]).get(batch.pk, {})
    if wants_json(request):
        return JsonResponse({"batch": batch.uid, "size": batch.size, "states": counts})
    page = Paginator(_rows(request, batch, at), PER_PAGE).get_page(
        request.GET.get("trang")
    )
    context = {
        "batch": batch,
        "page": page,
        "states": [(s, name, counts.get(s, 0)) for s, name in commands.STATES.items()],
        "causes": queries.count_command_causes(batch),
        "asked": request.GET,
        "gone": batch.size - counts.get(commands.QUEUED, 0),
        "is_open": any(counts.get(state) for state in commands.OPEN),
        "may_cancel": counts.get(commands.QUEUED) and access.list_kept(officer, at=at),
    }
    return render(request, "fleet/batch.html", context)


@require_safe
def export(request: HttpRequest, uid: str) -> HttpResponse:
    """Send a batch's answers as a table file."""
    at = timezone.now()
    batch = access.access_batch(officer_of(request), uid, at=at)
    head = (
        "Mã thiết bị", "Tên", "Nơi đặt", "Lệnh", "Trạng thái", "Nguyên nhân",
        "Gửi lúc", "Máy nhận lúc", "Kết thúc lúc",
    )  # fmt: skip
    rows = (
        (
            row.device.uid,
            row.device.name,
            row.device.unit.full_name,
            row.verb_name,
            row.state_name,
            row.cause_words,
            queries.local_text(row.sent_at),
            queries.local_text(row.received_at),
            queries.local_text(row.ended_at),
        )
        for row in _rows(request, batch, at)
    )
    return table_file(f"dot-lenh-{batch.uid}", head, rows)


@require_POST
def cancel(request: HttpRequest, uid: str) -> HttpResponse:
    """Send no more of a batch."""
    at = timezone.now()
    officer = officer_of(request)
    batch = access.access_batch(officer, uid, at=at)
    actions.cancel_batch(batch_id=batch.pk, by=officer, at=at)
    to = reverse("fleet:batch", args=[batch.uid])
    return done(request, to=to, data={"batch": batch.uid})


@require_safe
def log(request: HttpRequest, uid: str, command_id: int) -> HttpResponse:
    """Show or send the log that a device was asked for, to those who keep it."""
    at = timezone.now()
    officer = officer_of(request)
    device = access.access_device(officer, uid, at=at)
    access.check_keeper(officer, unit=device.unit, at=at)
    found = DeviceLog.objects.filter(command_id=command_id, device=device).first()
    if found is None:
        raise AbsentError("fleet.log_absent")
    if request.GET.get("tai"):
        answer = HttpResponse(found.text, content_type="text/plain; charset=utf-8")
        name = f"nhat-ky-{device.uid}-{found.pk}.txt"
        answer["Content-Disposition"] = f'attachment; filename="{name}"'
        return answer
    return render(request, "fleet/log.html", {"device": device, "log": found})
