"""What stands in each place of a sender's form, or why nothing does.

The same answer is shown on the page and written into the file.
"""

from collections.abc import Mapping as Named
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from nguon.core.errors import InvalidError
from nguon.fleet import files
from nguon.indicators import queries as indicators
from nguon.indicators.catalogue import COUNT, COUNTED, INDICATORS, SHARE
from nguon.indicators.rules import RECIPES
from nguon.indicators.rules import Period as Days
from nguon.people import access as people
from nguon.people.models import Officer
from nguon.reports import access, rules
from nguon.reports.foreign import places, sheets, word
from nguon.reports.foreign.packages import DOCX, Package, open_package
from nguon.reports.foreign.places import Share, Value
from nguon.reports.models import Answer, Call, Mapping, Submission
from nguon.territory.models import Unit
from nguon.territory.names import fold

CENT = Decimal("0.01")
OPEN, ANSWERED, LATE, WITHDRAWN = "open", "answered", "late", "withdrawn"
STATES = {
    OPEN: "Chưa trả lời",
    LATE: "Quá hạn",
    ANSWERED: "Đã trả lời",
    WITHDRAWN: "Đã rút lại",
}


def list_calls(
    officer: Officer, asked: Named[str, str], *, at: datetime
) -> QuerySet[Call]:
    """Return the calls an officer sees, what is due first before the others.

    `asked`: `tim` (words of title or sender), `tinh_trang` (of `STATES`).
    """
    found = access.fence_calls(officer, at=at)
    for one in fold(asked.get("tim", "").replace("\0", "")).split():
        found = found.filter(Q(folded__contains=one) | Q(folded_sender__contains=one))
    wanted = asked.get("tinh_trang", "")
    if wanted in {OPEN, LATE}:
        found = found.filter(answered_at=None)
    if wanted == LATE:
        found = found.filter(due_date__lt=timezone.localdate(at))
    if wanted == ANSWERED:
        found = found.filter(answered_at__isnull=False, withdrawn_at=None)
    if wanted == WITHDRAWN:
        found = found.filter(withdrawn_at__isnull=False)
    waits = found.select_related("unit", "answered_by")
    latest = F("answered_at").desc(nulls_first=True)
    return waits.order_by(latest, "due_date", "pk")


def package_of(call: Call) -> Package:
    """Return the sender's form. Raises as `open_package`."""
    return open_package(files.path_of(call.sha256).read_bytes())


def find_places(package: Package) -> list[str]:
    """Return the placeholders of a form in their order."""
    find = word.find_places if package.kind == DOCX else sheets.find_places
    return find(package)


@dataclass(frozen=True)
class Place:
    """One place of a form as it will be written; `missing` says why it stays empty."""

    name: str
    mapping: Mapping | None
    value: Value | None
    missing: str = ""
    note: str = ""

    @property
    def source(self) -> str:
        """Return what was joined to it: Xã Ia Grai, chỉ tiêu: Bản tin đã phát hành."""
        one = self.mapping
        if one is None:
            return ""
        names = {
            rules.FIGURE: INDICATORS[one.key].name if one.key in INDICATORS else "",
            rules.FIELD: one.field.name if one.field else "",
            rules.KNOWN_WHAT: rules.KNOWN.get(one.key, ""),
        }
        told = f"{one.unit.full_name}, {rules.SUBJECTS[one.what].lower()}"
        name = names.get(one.what, "")
        return f"{told}: {name}" if name else told

    @property
    def said(self) -> str:
        """What will stand there."""
        if self.value is None:
            return ""
        mark = " %" if isinstance(self.value, Share) else ""
        return f"{places.plain(self.value)}{mark}"


def list_places(call: Call, package: Package, *, at: datetime) -> list[Place]:
    """Return every place of a form: its placeholders, then the cells mapped by hand."""
    mappings = {
        one.place: one
        for one in call.mappings.select_related("unit", "field__form").order_by("place")
    }
    names = find_places(package)
    names += [name for name in mappings if name not in names]
    reading = _Reading(call, at)
    return [reading.place(name, mappings.get(name)) for name in names]


def fill(package: Package, told: Sequence[Place]) -> bytes:
    """Return the form filled; places without a value stay visibly empty."""
    values = {one.name: one.value for one in told if one.value is not None}
    if package.kind == DOCX:
        return word.fill(package, {k: _written(v) for k, v in values.items()})
    safe = {
        k: places.harmless(v) if isinstance(v, str) else v for k, v in values.items()
    }
    empty = {one.name: places.BLANK for one in told if one.value is None}
    return sheets.fill(package, safe | empty)


def _written(value: Value) -> str:
    return places.harmless(places.plain(value))


class _Reading:
    """Works places out; figures of one unit and span are counted once."""

    def __init__(self, call: Call, at: datetime) -> None:
        self.call, self.at = call, at
        self.counted: dict[tuple[int, str], Named[str, indicators.Figure]] = {}

    def place(self, name: str, mapping: Mapping | None) -> Place:
        """Return what stands in a place."""
        if mapping is None:
            return Place(name, None, None, "chưa nối với số liệu")
        if mapping.what == rules.WORDS:
            return Place(name, mapping, mapping.words)
        if mapping.what == rules.KNOWN_WHAT:
            return Place(name, mapping, self._known(mapping))
        try:
            days = rules.span_days(mapping.span, self.call.days)
            note = ""
            if mapping.what == rules.FIGURE:
                value, why = self._figure(mapping, days)
                note = self._unfinished(mapping) if value is not None else ""
            else:
                value, why = self._answer(mapping, days)
        except InvalidError as error:
            return Place(name, mapping, None, _WHY.get(error.code, "chưa tính được"))
        return Place(name, mapping, value, why if value is None else "", note)

    def _known(self, mapping: Mapping) -> str:
        days = self.call.days
        return {
            "unit": mapping.unit.full_name,
            "first": f"{days.first:%d/%m/%Y}",
            "last": f"{days.last:%d/%m/%Y}",
            "today": f"{timezone.localdate(self.at):%d/%m/%Y}",
            "sender": self.call.sender,
        }[mapping.key]

    def _figure(self, mapping: Mapping, days: Days) -> tuple[Value | None, str]:
        key = (mapping.unit_id, mapping.span)
        if key not in self.counted:
            told = indicators.list_figures(mapping.unit, days)
            self.counted[key] = {one.indicator.code: one for one in told}
        one = self.counted[key].get(mapping.key)
        if one is None or one.value is None:
            return None, "chưa đếm được"
        if mapping.part != rules.VALUE:
            return _half(one, mapping.part)
        value = Decimal(str(one.value)).quantize(CENT)
        return Share(value) if one.indicator.ratio == SHARE else value, ""

    def _unfinished(self, mapping: Mapping) -> str:
        """Return how many days a counted figure knows, when not all of them."""
        one = self.counted[mapping.unit_id, mapping.span][mapping.key]
        days = one.period.days
        if one.indicator.source != COUNTED or one.counted_days >= days:
            return ""
        return f"mới đếm {one.counted_days}/{days} ngày"

    def _answer(self, mapping: Mapping, days: Days) -> tuple[Value | None, str]:
        field = mapping.field
        row = Submission.objects.filter(
            unit=mapping.unit,
            state=rules.ACCEPTED,
            period__form=field.form if field else None,
            period__first_date=days.first,
            period__after_date=days.after,
        ).first()
        if row is None:
            return None, "chưa có báo cáo được duyệt của đúng kỳ này"
        answer = Answer.objects.filter(submission=row, field=field).first()
        if field is None or answer is None:
            return None, "báo cáo chưa có số này"
        if field.ratio == rules.TEXT:
            return answer.words or None, "báo cáo để trống mục này"
        if mapping.part == rules.ABOVE:
            return answer.above, "báo cáo chưa có số này"
        if mapping.part == rules.BELOW:
            return answer.below, "báo cáo chưa có số này"
        value = rules.value_of(field.ratio, answer.pair)
        if value is None:
            return None, "báo cáo chưa có số này"
        value = value.quantize(CENT)
        return Share(value) if field.ratio == SHARE else value, ""


def _half(one: indicators.Figure, part: str) -> tuple[Value | None, str]:
    """Return a figure's numerator in its shown unit, or its denominator."""
    if one.asked is not None:
        return None, "số hỏi mẫu chỉ có giá trị"
    if part == rules.ABOVE:
        recipe = RECIPES.get(one.indicator.code)
        above = Decimal(one.ratio.above) / (recipe.scale if recipe else 1)
        return above.quantize(CENT), ""
    if one.indicator.ratio == COUNT:
        return None, "số đếm không có mẫu số"
    return Decimal(one.ratio.below), ""


_WHY = {
    "indicators.unit_of_then": "đơn vị không có trên bản đồ của kỳ này",
    "indicators.unit_kind": "thôn, làng không có số riêng",
}


def list_units(call: Call, officer: Officer, *, at: datetime) -> list[Unit]:
    """Return whose figures a place may hold: the call's unit and what lies under it."""
    under = Unit.objects.as_of(timezone.localdate(at)).under(call.unit)
    kinds = ["province", "district", "commune"]
    seen = people.fence(under.filter(kind__in=kinds), officer=officer, at=at, unit="")
    found = {unit.pk: unit for unit in seen.order_by("path", "pk")}
    return [call.unit, *(unit for key, unit in found.items() if key != call.unit_id)]
