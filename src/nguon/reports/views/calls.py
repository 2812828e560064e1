"""Pages of calls: by whose form, until when, what stands in each place of it."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from nguon.core.errors import ConflictError, DomainError, InvalidError
from nguon.fleet import files
from nguon.indicators.catalogue import INDICATORS
from nguon.people import access as people
from nguon.people.answers import done, officer_of, table_file, wants_json
from nguon.people.models import APPROVER
from nguon.reports import access, actions, calls, forms, rules
from nguon.reports.foreign import sheets
from nguon.reports.foreign.packages import MAX_BYTES, MIMES, XLSX
from nguon.reports.models import Call, Field

PER_PAGE = 30
EXPORT_LIMIT = 5_000
UNPROCESSABLE = 422


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """List the calls, those that wait first."""
    officer, at = officer_of(request), timezone.now()
    found = calls.list_calls(officer, request.GET.dict(), at=at)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("trang"))
    if wants_json(request):
        return JsonResponse({"calls": [_facts(call) for call in page]})
    context = {
        "page": page,
        "asked": request.GET,
        "states": calls.STATES.items(),
        "today": timezone.localdate(at),
        "may_write": bool(people.paths_of(officer, at=at, kinds=access.WRITERS)),
    }
    return render(request, "reports/calls.html", context)


def _facts(call: Call) -> dict[str, Any]:
    return {
        "uid": call.uid,
        "unit": call.unit.full_name,
        "title": call.title,
        "sender": call.sender,
        "due_date": call.due_date,
        "answered_at": call.answered_at,
        "withdrawn_at": call.withdrawn_at,
        "reason": call.reason,
    }


@require_safe
def index_file(request: HttpRequest) -> HttpResponse:
    """Give the list of calls as a file."""
    found = calls.list_calls(officer_of(request), request.GET.dict(), at=timezone.now())
    rows = (
        (
            call.unit.full_name,
            call.title,
            call.sender,
            f"{call.first_date:%d/%m/%Y}",
            f"{call.days.last:%d/%m/%Y}",
            f"{call.due_date:%d/%m/%Y}",
            call.answered_at and f"{timezone.localdate(call.answered_at):%d/%m/%Y}",
            call.withdrawn_at and f"{timezone.localdate(call.withdrawn_at):%d/%m/%Y}",
            call.reason,
        )
        for call in found[:EXPORT_LIMIT]
    )
    head = (
        "Đơn vị", "Yêu cầu", "Nơi yêu cầu", "Từ ngày", "Đến ngày", "Hạn", "Trả lời",
        "Rút lại", "Lý do rút",
    )  # fmt: skip
    return table_file("yeu-cau-bao-cao", head, rows)


@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Take a call with its sender's form."""
    officer, at = officer_of(request), timezone.now()
    units = people.units_of(officer, at=at, kinds=access.WRITERS)
    context: dict[str, Any] = {"units": units, "sent": request.POST}
    if request.method != "POST":
        return render(request, "reports/call_new.html", context)
    sent, file = request.POST.dict(), request.FILES.get("file")
    try:
        if file is None:
            raise InvalidError("reports.call_missing")
        call = actions.open_call(
            unit=forms.read_own_unit(sent, units),
            title=sent.get("title", ""),
            sender=sent.get("sender", ""),
            days=forms.read_range(sent, at=at),
            due_date=forms.read_due(sent, at=at),
            file=file.read(MAX_BYTES + 1),
            by=officer,
            at=at,
        )
    except InvalidError as error:
        if wants_json(request):
            raise
        context["error"] = error
        return render(request, "reports/call_new.html", context, status=UNPROCESSABLE)
    if not wants_json(request):
        count = call.mappings.count()
        said = f"Đã nhận yêu cầu. Nhớ lại {count} chỗ đã nối." if count else ""
        messages.success(request, said or "Đã nhận yêu cầu. Nối từng chỗ với số liệu.")
    to = reverse("reports:call", args=[call.uid])
    return done(request, to=to, data={"uid": call.uid})


@require_safe
def show(request: HttpRequest, uid: str) -> HttpResponse:
    """Show what will stand in each place, and what stays empty and why."""
    return _show(request, uid)


def _show(
    request: HttpRequest, uid: str, *, error: DomainError | None = None
) -> HttpResponse:
    officer, at = officer_of(request), timezone.now()
    call = access.access_call(officer, uid, at=at)
    package = calls.package_of(call)
    told = calls.list_places(call, package, at=at)
    empty = [one for one in told if one.value is None]
    if wants_json(request):
        places = [
            {
                "place": one.name,
                "value": one.said,
                "missing": one.missing,
                "source": one.source,
                "note": one.note,
            }
            for one in told
        ]
        return JsonResponse(_facts(call) | {"places": places})
    writes = call.is_open and access.writes_for(officer, call.unit, at=at)
    approves = people.can(officer, APPROVER, unit=call.unit, at=at)
    context = {
        "call": call,
        "filled": [one for one in told if one.value is not None],
        "empty": empty,
        "unfinished": [one for one in told if one.note],
        "answered_early": call.answered_at is not None
        and timezone.localdate(call.answered_at) < call.days.after,
        "sheets": sheets.list_sheets(package) if call.kind == XLSX else [],
        "late": call.is_open and timezone.localdate(at) > call.due_date,
        "may_write": writes,
        "may_answer": writes and approves,
        "may_withdraw": approves and not call.is_open and call.withdrawn_at is None,
        "most": rules.MAX_REASON,
        "error": error,
    }
    status = UNPROCESSABLE if error else 200
    return render(request, "reports/call.html", context, status=status)


@require_safe
def file(request: HttpRequest, uid: str, which: str) -> HttpResponse:
    """Give the sender's form: as it came, filled now, or as it was given back."""
    officer, at = officer_of(request), timezone.now()
    call = access.access_call(officer, uid, at=at)
    if which == "mau":
        content = files.path_of(call.sha256).read_bytes()
    elif call.answer is not None:
        content = files.path_of(call.answer.sha256).read_bytes()
    else:
        package = calls.package_of(call)
        content = calls.fill(package, calls.list_places(call, package, at=at))
    answer = HttpResponse(content, content_type=MIMES[call.kind])
    name = f"{which}-{call.uid}.{call.kind}"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@require_http_methods(["GET", "POST"])
def place(request: HttpRequest, uid: str) -> HttpResponse:
    """Choose what one place holds; `cho` names it, or `trang` and `o` a cell."""
    officer, at = officer_of(request), timezone.now()
    call = access.access_call(officer, uid, at=at)
    sent = request.POST.dict() or request.GET.dict()
    sent = {key: text.replace("\0", "") for key, text in sent.items()}
    name = sent.get("cho", "")
    if sent.get("o"):
        name = f"{sent.get('trang', '')}!{''.join(sent['o'].split()).upper()}"
    units = calls.list_units(call, officer, at=at)
    fields = _list_fields(call)
    context: dict[str, Any] = {
        "call": call,
        "name": name,
        "mapping": call.mappings.filter(place=name).first(),
        "units": units,
        "fields": fields,
        "indicators": INDICATORS.values(),
        "known": rules.KNOWN.items(),
        "spans": rules.SPANS.items(),
        "parts": rules.PARTS.items(),
        "sent": sent,
    }
    if request.method != "POST":
        return render(request, "reports/place.html", context)
    try:
        _map(call, name, sent, request)
    except (InvalidError, ConflictError) as error:
        if wants_json(request):
            raise
        context["error"] = error
        return render(request, "reports/place.html", context, status=UNPROCESSABLE)
    if not wants_json(request):
        messages.success(request, f"Đã lưu chỗ “{name}”.")
    return done(request, to=reverse("reports:call", args=[call.uid]), data={})


def _list_fields(call: Call) -> list[Field]:
    """Return the fields of the forms that the call's unit answers or asks."""
    asked = Field.objects.filter(form__periods__submissions__unit=call.unit)
    found = asked.select_related("form").distinct()
    return list(found.order_by("form__folded", "form", "number"))


def _map(call: Call, name: str, sent: dict[str, str], request: HttpRequest) -> None:
    officer, at = officer_of(request), timezone.now()
    if "remove" in sent:
        actions.unmap_place(call_id=call.pk, place=name, by=officer, at=at)
        return
    what, _, key = sent.get("target", "").partition(":")
    fields = {str(one.pk): one for one in _list_fields(call)}
    actions.map_place(
        call_id=call.pk,
        place=name,
        target=actions.Target(
            what=what,
            key="" if what == rules.FIELD else key,
            field=fields.get(key) if what == rules.FIELD else None,
            words=sent.get("words", ""),
            span=sent.get("span", rules.SAME),
            part=sent.get("part", rules.VALUE),
        ),
        unit=forms.read_own_unit(sent, calls.list_units(call, officer, at=at)),
        by=officer,
        at=at,
    )


@require_POST
def remove(request: HttpRequest, uid: str) -> HttpResponse:
    """Take away a call that was a mistake and that nobody answered."""
    officer, at = officer_of(request), timezone.now()
    call = access.access_call(officer, uid, at=at)
    actions.remove_call(call_id=call.pk, by=officer, at=at)
    if not wants_json(request):
        messages.success(request, f"Đã bỏ yêu cầu “{call.title}”.")
    return done(request, to=reverse("reports:calls"), data={})


@require_POST
def withdraw(request: HttpRequest, uid: str) -> HttpResponse:
    """Take an answered call back, with the reason."""
    officer, at = officer_of(request), timezone.now()
    call = access.access_call(officer, uid, at=at)
    reason = request.POST.get("reason", "")
    try:
        actions.withdraw_call(call_id=call.pk, reason=reason, by=officer, at=at)
    except (InvalidError, ConflictError) as error:
        if wants_json(request):
            raise
        return _show(request, uid, error=error)
    if not wants_json(request):
        messages.success(request, "Đã rút lại. Người trong đơn vị được báo lý do.")
    return done(request, to=reverse("reports:call", args=[call.uid]), data={})


@require_POST
def answer(request: HttpRequest, uid: str) -> HttpResponse:
    """Keep the filled form as it is given back."""
    officer, at = officer_of(request), timezone.now()
    call = access.access_call(officer, uid, at=at)
    try:
        is_sure = request.POST.get("sure") == "1"
        actions.answer_call(call_id=call.pk, is_sure=is_sure, by=officer, at=at)
    except ConflictError as error:
        if wants_json(request):
            raise
        return _show(request, uid, error=error)
    if not wants_json(request):
        messages.success(request, "Đã lưu bản trả lời. Tải về rồi gửi cho nơi yêu cầu.")
    return done(request, to=reverse("reports:call", args=[call.uid]), data={})
