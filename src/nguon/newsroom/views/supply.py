"""The list of departments and offices that supply information."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from nguon.newsroom import actions, rules
from nguon.newsroom.models import Supplier
from nguon.people import access as people_access
from nguon.people.answers import done, officer_of, wants_json
from nguon.people.models import ADMINISTRATOR
from nguon.territory.models import Unit


@require_http_methods(["GET", "POST"])
def suppliers(request: HttpRequest) -> HttpResponse:
    """List the sources on an officer's ground and above; take new ones."""
    at = timezone.now()
    officer = officer_of(request)
    if request.method == "POST":
        unit = people_access.access_unit(officer, request.POST.get("unit", ""), at=at)
        usual = "usual" in request.POST
        names = rules.USUAL_SUPPLIERS if usual else [request.POST.get("name", "")]
        added = actions.add_suppliers(unit=unit, names=names, by=officer, at=at)
        if not wants_json(request):
            messages.success(request, "Đã lưu danh sách nguồn cung cấp.")
        return done(
            request,
            to=reverse("newsroom:suppliers"),
            data={"added": [supplier.pk for supplier in added]},
        )
    own = people_access.units_of(officer, at=at)
    above = Unit.objects.filter(pk__in={key for one in own for key in one.ancestor_ids})
    known = Supplier.objects.filter(unit__in=above, ended_at=None)
    grounds = people_access.units_of(officer, at=at, kinds=[ADMINISTRATOR])
    ruled = {unit.pk for unit in grounds}
    rows = [
        (supplier, supplier.unit_id in ruled)
        for supplier in known.select_related("unit").order_by("folded", "pk")
    ]
    context = {"rows": rows, "grounds": grounds, "usual": rules.USUAL_SUPPLIERS}
    return render(request, "newsroom/suppliers.html", context)


@require_POST
def end(request: HttpRequest, key: int) -> HttpResponse:
    """Take a source off the list."""
    supplier = actions.end_supplier(key=key, by=officer_of(request), at=timezone.now())
    return done(
        request, to=reverse("newsroom:suppliers"), data={"supplier": supplier.pk}
    )
