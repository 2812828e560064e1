"""Pages of what a station's people were paid: a month, a year beside its plan."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from nguon.core.errors import ConflictError, DomainError, InvalidError
from nguon.fleet import tables
from nguon.people.answers import done, table_file, wants_json
from nguon.plan.forms import need_day
from nguon.plan.money import read_dong
from nguon.reports import access, actions, paying, rules, stations
from nguon.reports.asked import MONTHS, Asked
from nguon.reports.foreign.packages import MIMES, XLSX
from nguon.reports.models import Payment

UNPROCESSABLE = 422


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Show a month: what is due, paid and left, in all and of everybody."""
    return _index(request, Asked(request))


def _index(
    request: HttpRequest,
    wanted: Asked,
    *,
    error: DomainError | None = None,
    opened: str = "",
) -> HttpResponse:
    dues = paying.list_dues(wanted.station, wanted.month)
    cause = error.__cause__ if error else None
    found = paying.search(dues, request.GET.dict())
    if wants_json(request):
        people = [
            {
                "person": one.person,
                "due": one.due,
                "paid": one.paid,
                "left": one.left,
                "over": one.over,
                "payments": [
                    {"amount": p.amount, "on": p.paid_on, "document": p.document}
                    for p in one.standing
                ],
            }
            for one in found
        ]
        return JsonResponse({"month": f"{wanted.month:%Y-%m}", "people": people})
    context = wanted.context(request) | {
        "people": dues,
        "dues": found,
        "sums": paying.add_up(dues),
        "owed": [one for one in dues if one.left],
        "states_of_pay": paying.STATES.items(),
        "may_write": access.writes_for(wanted.officer, wanted.unit, at=wanted.at),
        "most": rules.MAX_REASON,
        "sent": request.POST,
        "error": error,
        "cause": cause if isinstance(cause, DomainError) else None,
        "unsure": _unsure(error, cause),
        "opened": opened,
    }
    status = UNPROCESSABLE if error else 200
    return render(request, "reports/payments.html", context, status=status)


def _unsure(*errors: object) -> DomainError | None:
    """Return the refusal that a second look may lift, if that was the cause."""
    for one in errors:
        if isinstance(one, DomainError) and one.code == "reports.pay_over":
            return one
    return None


@require_safe
def index_file(request: HttpRequest) -> HttpResponse:
    """Give a month as CSV or XLSX (`?dang=xlsx`), in the form that is taken in."""
    wanted = Asked(request)
    dues = paying.list_dues(wanted.station, wanted.month)
    rows = paying.rows(paying.search(dues, request.GET.dict()))
    name = f"da-tra-{wanted.unit.code}-{wanted.month:%Y-%m}"
    if request.GET.get("dang") != "xlsx":
        return table_file(name, paying.HEAD, rows)
    content = tables.write_xlsx(paying.HEAD, rows, title=f"{wanted.month:%m-%Y}")
    answer = HttpResponse(content, content_type=MIMES[XLSX])
    answer["Content-Disposition"] = f'attachment; filename="{name}.xlsx"'
    return answer


@require_POST
def enter(request: HttpRequest, what: str) -> HttpResponse:
    """Write what one person got (`mot`), all that is left (`het`), a table (`bang`)."""
    wanted = Asked(request)
    try:
        said = {"mot": _one, "het": _rest, "bang": _table}[what](request, wanted)
    except (InvalidError, ConflictError) as error:
        if wants_json(request):
            raise
        return _index(request, wanted, error=error, opened=what)
    return _done(request, wanted, said)


def _done(request: HttpRequest, wanted: Asked, said: str) -> HttpResponse:
    if not wants_json(request):
        messages.success(request, said)
    return done(request, to=f"{reverse('reports:payments')}?{wanted.query}", data={})


def _paper(request: HttpRequest, wanted: Asked) -> actions.Paper:
    paid_on = need_day(request.POST.dict(), "paid_on", at=wanted.at)
    return actions.Paper(request.POST.get("document", ""), paid_on)


def _one(request: HttpRequest, wanted: Asked) -> str:
    key, typed = request.POST.get("person", ""), request.POST.get("amount", "")
    made = actions.pay_person(
        station=wanted.station,
        month=wanted.month,
        person_id=int(key) if key.isascii() and key.isdecimal() else 0,
        amount=read_dong(typed),
        paper=_paper(request, wanted),
        # Sure of this sum for this person: of another one it is asked anew.
        is_sure=request.POST.get("sure") == f"{key} {typed}",
        by=wanted.officer,
        at=wanted.at,
    )
    return f"Đã ghi trả theo chứng từ {made.document}."


def _rest(request: HttpRequest, wanted: Asked) -> str:
    made = actions.pay_rest(
        station=wanted.station,
        month=wanted.month,
        paper=_paper(request, wanted),
        by=wanted.officer,
        at=wanted.at,
    )
    return f"Đã ghi trả {len(made)} người theo chứng từ {made[0].document}."


def _table(request: HttpRequest, wanted: Asked) -> str:
    file = request.FILES.get("file")
    if file is None:
        raise InvalidError("reports.pay_file")
    count = actions.import_payments(
        station=wanted.station,
        month=wanted.month,
        rows=tables.read(file.read(tables.MAX_BYTES + 1)),
        is_sure=request.POST.get("sure") == "1",
        by=wanted.officer,
        at=wanted.at,
    )
    return f"{count.new} mới, {count.same} như cũ."


@require_POST
def withdraw(request: HttpRequest, uid: str) -> HttpResponse:
    """Take a payment back that was written by mistake, with the reason."""
    wanted = Asked(request)
    keys = [one.pk for one in (wanted.unit, *wanted.station.grounds)]
    row = Payment.objects.filter(uid=uid, unit__in=keys).first()
    reason = request.POST.get("reason", "")
    try:
        actions.withdraw_payment(
            uid=row.uid if row else "", reason=reason, by=wanted.officer, at=wanted.at
        )
    except (InvalidError, ConflictError) as error:
        if wants_json(request):
            raise
        return _index(request, wanted, error=error, opened=uid)
    return _done(request, wanted, "Đã rút lại. Dòng ấy vẫn hiện, ghi rõ lý do.")


# --- a year ------------------------------------------------------------------------


def _year(request: HttpRequest, this: int) -> int:
    """Read `nam`; anything else, and what is to come, is this year."""
    text = request.GET.get("nam", "")
    is_year = text.isascii() and text.isdecimal() and len(text) == len("2026")
    return int(text) if is_year and 2000 <= int(text) <= this else this


class _AskedYear(Asked):
    """A station and a whole year of it."""

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request)
        self.this = timezone.localdate(self.at).year
        self.year = _year(request, self.this)
        first, after = date(self.year, 1, 1), date(self.year + 1, 1, 1)
        self.station = stations.find_station(
            self.officer, self.unit.uid, first, after, at=self.at
        )

    @property
    def told(self) -> paying.Year:
        """What is due, paid and planned."""
        return paying.read_year(self.station, self.year)


@require_safe
def year(request: HttpRequest) -> HttpResponse:
    """Show a year, month by month, beside what the plans have for it."""
    wanted = _AskedYear(request)
    told = wanted.told
    if wants_json(request):
        every = [
            {
                "month": f"{one:%Y-%m}",
                "due": sums.due,
                "paid": sums.paid,
                "left": sums.left,
                "over": sums.over,
            }
            for one, sums in told.months
        ]
        return JsonResponse({"planned": told.planned, "months": every})
    context: dict[str, Any] = wanted.context(request) | {
        "year": wanted.year,
        "years": range(wanted.this, wanted.this - MONTHS // 12 - 1, -1),
        "told": told,
    }
    return render(request, "reports/payments_year.html", context)


@require_safe
def year_file(request: HttpRequest) -> HttpResponse:
    """Give a year as a file."""
    wanted = _AskedYear(request)
    told = wanted.told
    rows: list[tuple[object, ...]] = [
        (f"{one:%m/%Y}", sums.due, sums.paid, sums.left, sums.over)
        for one, sums in told.months
    ]
    sums = told.sums
    rows += [("Cả năm", sums.due, sums.paid, sums.left, sums.over)]
    rows += [("Kế hoạch có", told.planned, "", "", "")]
    rows += [("Kế hoạch còn", told.unspent, "", "", "")]
    head = ("Tháng", "Phải trả", "Đã trả", "Còn phải trả", "Trả thừa")
    return table_file(f"thu-lao-{wanted.unit.code}-{wanted.year}", head, rows)
