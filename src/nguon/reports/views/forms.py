"""Pages of forms: which there are, and the fields of one."""

from datetime import datetime
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

from nguon.core.errors import DomainError, InvalidError
from nguon.indicators.catalogue import INDICATORS
from nguon.people import access as people
from nguon.people.answers import done, officer_of, table_file, wants_json
from nguon.people.models import APPROVER, AUTHOR, Officer
from nguon.reports import access, actions, forms, queries, rules
from nguon.reports.models import Form

PER_PAGE = 30
EXPORT_LIMIT = 5_000


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """List the forms."""
    at = timezone.now()
    officer = officer_of(request)
    found = queries.list_forms(officer, request.GET.dict(), at=at)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("trang"))
    if wants_json(request):
        rows = [
            {"uid": form.uid, "title": form.title, "level": form.level} for form in page
        ]
        return JsonResponse({"forms": rows})
    context = {
        "page": page,
        "asked": request.GET,
        "may_write": bool(people.paths_of(officer, at=at, kinds=[AUTHOR])),
    }
    return render(request, "reports/forms.html", context)


@require_safe
def index_file(request: HttpRequest) -> HttpResponse:
    """Give the list of forms as a file."""
    found = queries.list_forms(
        officer_of(request), request.GET.dict(), at=timezone.now()
    )
    rows = (
        (
            form.title,
            form.unit.full_name,
            form.get_level_display(),
            form.field_count,
            form.period_count,
        )
        for form in found[:EXPORT_LIMIT]
    )
    head = ("Biểu mẫu", "Đơn vị lập", "Hỏi cấp", "Số mục", "Số kỳ")
    return table_file("bieu-mau", head, rows)


@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Begin a form."""
    at = timezone.now()
    officer = officer_of(request)
    context: dict[str, Any] = {
        "units": people.units_of(officer, at=at, kinds=[AUTHOR]),
        "levels": rules.LEVELS.items(),
        "sent": request.POST,
    }
    if request.method != "POST":
        return render(request, "reports/form_new.html", context)
    try:
        form = actions.create_form(
            unit=people.access_unit(officer, request.POST.get("unit", ""), at=at),
            level=request.POST.get("level", ""),
            title=request.POST.get("title", ""),
            by=officer,
            at=at,
        )
    except InvalidError as error:
        if wants_json(request):
            raise
        context["error"] = error
        return render(request, "reports/form_new.html", context, status=422)
    to = reverse("reports:form", args=[form.uid])
    return done(request, to=to, data={"uid": form.uid})


@require_safe
def show(request: HttpRequest, uid: str) -> HttpResponse:
    """Show a form, its fields, and how to open a period with it."""
    officer, at = officer_of(request), timezone.now()
    form = access.access_form(officer, uid, at=at)
    if wants_json(request):
        fields = form.fields.order_by("number").values(
            "number", "name", "ratio", "unit", "indicator", "least", "most", "is_needed"
        )
        return JsonResponse({"title": form.title, "fields": list(fields)})
    return show_form(request, form, officer, at)


def show_form(
    request: HttpRequest,
    form: Form,
    officer: Officer,
    at: datetime,
    *,
    error: DomainError | None = None,
    opened: str = "",
) -> HttpResponse:
    """Render a form's page, with what was refused beside what was typed."""
    is_used = form.periods.exists()
    today = timezone.localdate(at)
    context = {
        "form": form,
        "fields": form.fields.order_by("number", "pk"),
        "is_used": is_used,
        "may_change": not is_used
        and people.can(officer, AUTHOR, unit=form.unit, at=at),
        "may_open": people.can(officer, APPROVER, unit=form.unit, at=at),
        "indicators": INDICATORS.values(),
        "ratios": rules.RATIOS.items(),
        "kinds": rules.KINDS.items(),
        "year": today.year,
        "sent": request.POST,
        "error": error,
        "opened": opened,
    }
    status = 422 if error else 200
    return render(request, "reports/form.html", context, status=status)


@require_POST
def add(request: HttpRequest, uid: str) -> HttpResponse:
    """Add a field to a form."""
    officer, at = officer_of(request), timezone.now()
    form = access.access_form(officer, uid, at=at)
    try:
        words = forms.read_field(request.POST.dict())
        actions.add_field(form_id=form.pk, words=words, by=officer, at=at)
    except InvalidError as error:
        if wants_json(request):
            raise
        return show_form(request, form, officer, at, error=error, opened="muc")
    if not wants_json(request):
        messages.success(request, "Đã thêm mục vào biểu mẫu.")
    return done(request, to=reverse("reports:form", args=[form.uid]), data={})


@require_POST
def remove(request: HttpRequest, uid: str, key: int) -> HttpResponse:
    """Take a field out of a form."""
    officer, at = officer_of(request), timezone.now()
    form = access.access_form(officer, uid, at=at)
    actions.remove_field(form_id=form.pk, field_id=key, by=officer, at=at)
    if not wants_json(request):
        messages.success(request, "Đã bỏ mục khỏi biểu mẫu.")
    return done(request, to=reverse("reports:form", args=[form.uid]), data={})
