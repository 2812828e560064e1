"""Choosing channels, seeing where a bulletin went, the books, the printed page."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.db.models import QuerySet, Sum
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from nguon.channels import actions, queries, rules
from nguon.channels.printed import Sheet, print_sheet
from nguon.core.errors import AbsentError, DomainError, InvalidError
from nguon.fleet import tables
from nguon.newsroom import actions as newsroom
from nguon.newsroom import channels as kinds
from nguon.newsroom import rules as newsroom_rules
from nguon.newsroom.access import access_bulletin
from nguon.newsroom.models import Bulletin
from nguon.people import access
from nguon.people.answers import done, officer_of, table_file, wants_json
from nguon.people.models import AUTHOR
from nguon.schedule.access import access_broadcast
from nguon.schedule.models import Broadcast

PER_PAGE = 50
EXPORT_LIMIT = 20_000


# --- choosing ----------------------------------------------------


@require_http_methods(["GET", "POST"])
def choose(request: HttpRequest, uid: str) -> HttpResponse:
    """Choose by which channels a bulletin also goes, and finish what each says."""
    at = timezone.now()
    officer = officer_of(request)
    bulletin = access_bulletin(uid=uid, officer=officer, at=at)
    access.check_can(officer, AUTHOR, unit=bulletin.unit, at=at)
    if request.method != "POST":
        return _form(request, bulletin, newsroom.chosen_texts(bulletin))
    texts = {
        code: request.POST.get(f"text_{code}", "")
        for code in request.POST.getlist("channels")
    }
    try:
        newsroom.save_channels(bulletin_id=bulletin.pk, texts=texts, by=officer, at=at)
    except InvalidError as error:
        if wants_json(request):
            raise
        return _form(request, bulletin, texts, error=error, status=422)
    if not wants_json(request):
        messages.success(request, "Đã lưu các kênh.")
    return done(
        request,
        to=reverse("schedule:place", args=[bulletin.uid]),
        data={"channels": sorted(texts)},
    )


def _form(
    request: HttpRequest,
    bulletin: Bulletin,
    texts: Mapping[str, str],
    *,
    error: DomainError | None = None,
    status: int = 200,
) -> HttpResponse:
    offers = [
        {
            "code": code,
            "name": kinds.KINDS[code],
            "hint": hint,
            "chosen": code in texts,
            "text": texts.get(code)
            or kinds.propose(code, title=bulletin.title, body=bulletin.body),
            "limit": kinds.LIMITS[code],
            "rows": 3 if code in (kinds.SMS, kinds.DOCUMENT) else 7,
        }
        for code, hint in kinds.CHOSEN.items()
    ]
    context = {"bulletin": bulletin, "offers": offers, "error": error}
    return render(request, "channels/choose.html", context, status=status)


# --- where one bulletin went -------------------------------------


@require_safe
def ways(request: HttpRequest, uid: str) -> HttpResponse:
    """Show by which channels a bulletin went, when, to how many, at what cost."""
    at = timezone.now()
    officer = officer_of(request)
    broadcast = access_broadcast(uid=uid, officer=officer, at=at)
    found = queries.list_ways(broadcast)
    if wants_json(request):
        facts = [
            {
                "channel": way.channel,
                "asked": way.asked,
                "meant": way.meant,
                "done": way.done,
                "failed": way.failed,
                "cost_dong": way.cost_dong,
                "document": way.document.number if way.document else None,
            }
            for way in found
        ]
        return JsonResponse({"ways": facts})
    context = {
        "broadcast": broadcast,
        "ways": found,
        "total": sum(way.cost_dong for way in found),
        "is_own": access.can_see(officer, unit=broadcast.unit, at=at),
        "is_moving": any(way.waiting for way in found if way.channel in kinds.CHOSEN),
    }
    return render(request, "channels/ways.html", context)


@require_safe
def sheet(request: HttpRequest, uid: str) -> HttpResponse:
    """Print a bulletin as it was approved, or as it would be."""
    at = timezone.now()
    broadcast = access_broadcast(uid=uid, officer=officer_of(request), at=at)
    asked = broadcast.version.channels.filter(channel=kinds.PRINT).first()
    if asked is None:
        raise AbsentError("channels.print_not_asked")
    answer = HttpResponse(
        print_sheet(_sheet(broadcast, asked.text)), content_type="application/pdf"
    )
    answer["Content-Disposition"] = f'inline; filename="ban-tin-{broadcast.uid}.pdf"'
    return answer


def _sheet(broadcast: Broadcast, text: str) -> Sheet:
    version = broadcast.version
    alarm = newsroom_rules.CLASSES[version.klass]
    if version.drill:
        alarm = "Diễn tập, không phải tin thật"
    elif broadcast.approved_by is None:
        alarm = "Bản xem trước, chưa duyệt"
    return Sheet(
        issuer=broadcast.unit.full_name,
        title=version.title,
        body=newsroom_rules.shown_text(text, drill=version.drill),
        field=newsroom_rules.FIELDS[version.field],
        approved_by=broadcast.approved_by.full_name if broadcast.approved_by else "…",
        approved_at=broadcast.approved_at or broadcast.submitted_at,
        code=broadcast.sha256[:12],
        link=f"{settings.PUBLIC_URL}/xa/{broadcast.unit.uid}/",
        alarm="" if alarm == newsroom_rules.CLASSES["normal"] else alarm,
    )


@login_not_required
@require_safe
def talk(request: HttpRequest, uid: str) -> HttpResponse:
    """Show what a propagandist tells the village: one page, for everybody."""
    broadcast, lines = queries.find_talk(uid, at=timezone.now())
    context = {"broadcast": broadcast, "lines": lines}
    return render(request, "channels/talk.html", context)


# --- what left ---------------------------------------------------


@require_safe
def deliveries(request: HttpRequest) -> HttpResponse:
    """List what left by other people's systems, with result and cost."""
    at = timezone.now()
    found = queries.list_deliveries(officer_of(request), request.GET.dict(), at=at)
    context = {
        "page": _page(request, found),
        "cost": found.aggregate(sum=Sum("cost_dong"))["sum"] or 0,
        "channels": [(code, kinds.KINDS[code]) for code in (kinds.SOCIAL, kinds.SMS)],
        "states": rules.STATES.items(),
        "asked": request.GET,
    }
    return render(request, "channels/deliveries.html", context)


def _page(request: HttpRequest, found: QuerySet[Any]) -> Any:
    return Paginator(found, PER_PAGE).get_page(request.GET.get("trang"))


@require_safe
def deliveries_file(request: HttpRequest) -> HttpResponse:
    """Give the same list as a file."""
    at = timezone.now()
    found = queries.list_deliveries(officer_of(request), request.GET.dict(), at=at)
    rows = (
        (
            row.uid,
            row.broadcast.version.shown_title,
            kinds.KINDS[row.channel],
            row.account,
            row.shown_address,
            rules.STATES[row.state],
            rules.CAUSES.get(row.cause, row.cause),
            row.parts,
            row.cost_dong,
            row.reference,
            row.ended_at and f"{timezone.localtime(row.ended_at):%d/%m/%Y %H:%M}",
        )
        for row in found[:EXPORT_LIMIT]
    )
    head = (
        "Mã,Bản tin,Kênh,Tài khoản,Tới,Kết quả,Nguyên nhân,Số phần,"
        "Chi phí (đồng),Mã của nhà cung cấp,Xong lúc"
    )
    return table_file("kenh", head.split(","), rows)


@require_POST
def retry(request: HttpRequest, uid: str) -> HttpResponse:
    """Send once more what failed."""
    row = actions.retry_delivery(uid=uid, by=officer_of(request), at=timezone.now())
    if not wants_json(request):
        messages.success(request, "Sẽ gửi lại ngay.")
    to = f"{reverse('channels:deliveries')}?tin={row.broadcast.uid}"
    return done(request, to=to, data={"state": row.state})


# --- the books ---------------------------------------------------


@require_http_methods(["GET", "POST"])
def contacts(request: HttpRequest) -> HttpResponse:
    """List who gets messages, and add somebody."""
    at = timezone.now()
    if request.method == "POST":
        return _add_contact(request, at)
    return _contacts(request, at)


def _add_contact(request: HttpRequest, at: datetime) -> HttpResponse:
    officer, sent = officer_of(request), request.POST
    address = sent.get("address", "").strip()
    try:
        actions.add_contact(
            unit=access.access_unit(officer, sent.get("unit", ""), at=at),
            kind=rules.EMAIL if "@" in address else rules.PHONE,
            address=address,
            name=sent.get("name", ""),
            agreed=sent.get("agreed", ""),
            by=officer,
            at=at,
        )
    except InvalidError as error:
        if wants_json(request):
            raise
        return _contacts(request, at, error=error, status=422)
    if not wants_json(request):
        messages.success(request, "Đã ghi vào danh bạ.")
    return done(request, to=reverse("channels:contacts"), data={})


def _contacts(
    request: HttpRequest,
    at: datetime,
    *,
    error: DomainError | None = None,
    status: int = 200,
) -> HttpResponse:
    officer = officer_of(request)
    found = queries.list_contacts(officer, request.GET.dict(), at=at)
    context = {
        "page": _page(request, found),
        "units": access.units_of(officer, at=at, kinds=[AUTHOR]),
        "kinds": rules.ADDRESS_KINDS.items(),
        "asked": request.GET,
        "sent": request.POST,
        "error": error,
    }
    return render(request, "channels/contacts.html", context, status=status)


@require_safe
def contacts_file(request: HttpRequest) -> HttpResponse:
    """Give the book as a file, in the form in which it is taken in."""
    at = timezone.now()
    found = queries.list_contacts(officer_of(request), request.GET.dict(), at=at)
    rows = ((row.address, row.name, row.agreed) for row in found[:EXPORT_LIMIT])
    return table_file("danh-ba", ["Số hoặc thư", "Họ tên", "Đồng ý thế nào"], rows)


@require_POST
def import_contacts(request: HttpRequest) -> HttpResponse:
    """Take in a table of contacts, all of it or nothing."""
    at = timezone.now()
    officer = officer_of(request)
    file = request.FILES.get("file")
    try:
        if file is None:
            raise InvalidError("territory.file_missing")
        count = actions.import_contacts(
            unit=access.access_unit(officer, request.POST.get("unit", ""), at=at),
            rows=tables.read(file.read()),
            by=officer,
            at=at,
        )
    except InvalidError as error:
        if wants_json(request):
            raise
        return _contacts(request, at, error=error, status=422)
    if not wants_json(request):
        messages.success(request, f"Đã nhập {count} người.")
    return done(request, to=reverse("channels:contacts"), data={"count": count})


@require_POST
def remove_contact(request: HttpRequest, key: int) -> HttpResponse:
    """Forget somebody who asked for it."""
    actions.remove_contact(contact_id=key, by=officer_of(request), at=timezone.now())
    if wants_json(request):
        return JsonResponse({})
    messages.success(request, "Đã xóa khỏi danh bạ.")
    return redirect("channels:contacts")


@require_safe
def documents(request: HttpRequest) -> HttpResponse:
    """Show the register of non-commercial documents."""
    at = timezone.now()
    found = queries.list_documents(officer_of(request), request.GET.dict(), at=at)
    context = {"page": _page(request, found), "asked": request.GET}
    return render(request, "channels/documents.html", context)


@require_safe
def documents_file(request: HttpRequest) -> HttpResponse:
    """Give the register as a file."""
    at = timezone.now()
    found = queries.list_documents(officer_of(request), request.GET.dict(), at=at)
    rows = (
        (
            f"{row.number}/{row.year}",
            f"{timezone.localtime(row.registered_at):%d/%m/%Y}",
            row.abstract,
            row.unit.full_name,
            row.broadcast.version.shown_title,
        )
        for row in found[:EXPORT_LIMIT]
    )
    head = ["Số", "Ngày", "Trích yếu", "Đơn vị", "Bản tin"]
    return table_file("so-tai-lieu", head, rows)
