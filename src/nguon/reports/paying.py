"""What is due for a station's pieces, what was paid of it, and what a plan has for it.

Due is counted by the rates (`newsroom.pay`), paid is what was written with a document
(`Payment`), planned are the remuneration lines of plans that were sent down. All đồng.
What is owed to one
person never hides what another got too much, nor one month another's. Reads only.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Sum

from nguon.audit import months
from nguon.newsroom import pay
from nguon.people.models import Officer
from nguon.plan import money
from nguon.plan import rules as plans
from nguon.plan.models import FundingLine
from nguon.reports.models import Payment
from nguon.reports.stations import Station
from nguon.territory.names import fold

# The columns of a table that is taken in; others are left alone.
NEEDED = ("Tài khoản", "Số tiền", "Ngày trả", "Số chứng từ")
HEAD = ("Họ tên", "Phải trả", "Đã trả", "Còn phải trả", "Trả thừa", *NEEDED)
OWED, SETTLED, OVER = "owed", "settled", "over"
STATES = {OWED: "Còn phải trả", SETTLED: "Đã đủ", OVER: "Trả thừa"}


@dataclass(frozen=True)
class Due:
    """One person's month: what is due, and the payments, withdrawn ones too."""

    person_id: int
    person: str
    account: str
    due: int
    payments: Sequence[Payment] = ()

    @property
    def standing(self) -> list[Payment]:
        """Return the payments that were not withdrawn."""
        return [one for one in self.payments if one.withdrawn_at is None]

    @property
    def paid(self) -> int:
        """Return what was paid."""
        return sum(one.amount for one in self.standing)

    @property
    def left(self) -> int:
        """Return what is still due."""
        return max(0, self.due - self.paid)

    @property
    def over(self) -> int:
        """Return how much more than due was paid."""
        return max(0, self.paid - self.due)

    @property
    def state(self) -> str:
        """Return how it stands, of `STATES`."""
        return OWED if self.left else OVER if self.over else SETTLED


@dataclass(frozen=True)
class Sums:
    """What some people or months come to: `left` and `over` are never set off."""

    due: int = 0
    paid: int = 0
    left: int = 0
    over: int = 0

    @classmethod
    def of(cls, rows: Iterable[tuple[int, int]]) -> "Sums":
        """Add up what was due and paid of each person's month."""
        return add_sums(
            cls(due, paid, max(0, due - paid), max(0, paid - due)) for due, paid in rows
        )


def add_sums(rows: Iterable[Sums]) -> Sums:
    """Return what some sums come to."""
    every = list(rows)
    return Sums(
        due=sum(one.due for one in every),
        paid=sum(one.paid for one in every),
        left=sum(one.left for one in every),
        over=sum(one.over for one in every),
    )


def list_dues(station: Station, month: date) -> list[Due]:
    """Return everybody who has pieces or got money of a month, by name."""
    lines = {
        line.person_id: line for line in pay.list_lines_of(station.grounds, month=month)
    }
    paid: defaultdict[int, list[Payment]] = defaultdict(list)
    rows = Payment.objects.filter(unit__in=_keys(station), month=month)
    related = rows.select_related("entered_by", "withdrawn_by")
    for one in related.order_by("paid_on", "pk"):
        paid[one.person_id].append(one)
    people = Officer.objects.in_bulk({*lines, *paid})
    found = [
        Due(
            person_id=key,
            person=person.full_name,
            account=person.username,
            due=lines[key].total if key in lines else 0,
            payments=paid.get(key, ()),
        )
        for key, person in people.items()
    ]
    return sorted(found, key=lambda one: (fold(one.person), one.person_id))


def search(dues: Sequence[Due], asked: Mapping[str, str]) -> list[Due]:
    """Keep whose name has some words (`tim`) and who stands so (`tinh_trang`)."""
    words = fold(asked.get("tim", "").replace("\0", "")).split()
    state = asked.get("tinh_trang", "")
    return [
        one
        for one in dues
        if all(word in fold(one.person) for word in words)
        and (state not in STATES or one.state == state)
    ]


def add_up(dues: Sequence[Due]) -> Sums:
    """Return what everybody comes to."""
    return Sums.of((one.due, one.paid) for one in dues)


def rows(dues: Sequence[Due]) -> list[Sequence[object]]:
    """Return a month's table under `HEAD`: a row a payment, one for who got none.

    It comes back by `actions.import_payments`, with the empty cells filled.
    """
    found: list[Sequence[object]] = []
    for one in dues:
        sums = (one.person, one.due, one.paid, one.left, one.over, one.account)
        found += [
            (*sums, row.amount, f"{row.paid_on:%d/%m/%Y}", row.document)
            for row in one.standing
        ] or [(*sums, "", "", "")]
    return found


@dataclass(frozen=True)
class Year:
    """A station's year: months with what is due and paid, and the plans' lines."""

    months: Sequence[tuple[date, Sums]]
    lines: Sequence[FundingLine]

    @property
    def sums(self) -> Sums:
        """Return what the year comes to."""
        return add_sums(one for _month, one in self.months)

    @property
    def busy(self) -> list[tuple[date, Sums]]:
        """Return the months in which something was due or paid."""
        return [(month, one) for month, one in self.months if one.due or one.paid]

    @property
    def planned(self) -> int:
        """Return how much the plans have for remuneration."""
        return sum(line.amount for line in self.lines)

    @property
    def noted(self) -> int:
        """Return how much of it the plans say is spent."""
        return sum(line.spent for line in self.lines)

    @property
    def unspent(self) -> int:
        """Return what the plan still has after what was paid; below 0: too little."""
        return self.planned - self.sums.paid

    @property
    def lacking(self) -> int:
        """Return how much more was paid than the plans have."""
        return max(0, -self.unspent)


def read_year(station: Station, year: int) -> Year:
    """Return a station's year; a payment is of the year of its month."""
    first, after = date(year, 1, 1), date(year + 1, 1, 1)
    due = pay.sum_months(station.grounds, first=first, after=after)
    keys = _keys(station)
    rows = Payment.objects.filter(unit__in=keys, withdrawn_at=None)
    of_year = rows.filter(month__gte=first, month__lt=after).order_by()
    totals = of_year.values("month", "person").annotate(total=Sum("amount"))
    paid = {(row["month"], row["person"]): row["total"] for row in totals}
    found: defaultdict[date, list[tuple[int, int]]] = defaultdict(list)
    for key in {*due, *paid}:
        found[key[0]].append((due.get(key, 0), paid.get(key, 0)))
    every = [months.next_month(first, n) for n in range(12)]
    lines = FundingLine.objects.filter(unit__in=keys, year=year, purpose=money.PAY)
    sent = lines.exclude(plan__state=plans.DRAFT).select_related("plan", "unit")
    return Year(
        months=[(one, Sums.of(found[one])) for one in every],
        lines=list(sent.order_by("plan", "unit__folded", "source", "pk")),
    )


def _keys(station: Station) -> set[int]:
    """Return the commune and those of then that it stands for."""
    return {station.unit.pk, *(unit.pk for unit in station.grounds)}
