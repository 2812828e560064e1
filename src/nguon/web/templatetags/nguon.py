"""Icons, moments and numbers as people here write them."""

from contextlib import suppress
from datetime import date, datetime, time

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from nguon.core import typed
from nguon.core.errors import DomainError
from nguon.territory import names
from nguon.web.sentences import sentence

register = template.Library()

SECONDS_PER_MINUTE = 60
_KINDS = "Xã,Phường,Đặc khu,Tỉnh,Thành phố,Làng,Thôn,Tổ dân phố"
UNIT_KINDS = tuple(_KINDS.split(","))
WRITTEN_LARGE = frozenset({"Thành phố Hồ Chí Minh"})
SHORT_HASH = 12
# Every half hour in which stations speak.
USUAL_CLOCKS = [f"{hour:02}:{half}" for hour in range(5, 22) for half in ("00", "30")]


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """Draw one of our icons; with a label it speaks for itself."""
    address = static("web/icons.svg")
    if label:
        return format_html(
            '<svg class="icon" role="img" aria-label="{}"><use href="{}#{}"/></svg>',
            label,
            address,
            name,
        )
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>', address, name
    )


# A label ties a typed day or clock to its field; `key` is the name unless it is told.
@register.inclusion_tag("web/day_input.html")
def day_input(
    name: str, value: object = "", *, key: str = "", **flags: bool
) -> dict[str, object]:
    """Draw a field for a day, 22/11/2026 whatever language the browser speaks."""
    if isinstance(value, str) and "-" in value:
        with suppress(ValueError):
            value = typed.read_day(value)
    if isinstance(value, date):
        value = ngay(value)
    return {"name": name, "key": key or name, "value": value or "", **flags}


@register.inclusion_tag("web/clock_input.html")
def clock_input(
    name: str, value: object = "", *, key: str = "", **flags: bool
) -> dict[str, object]:
    """Draw a field for a time of day, 17:30, with the usual hours to choose from."""
    if isinstance(value, datetime):
        value = gio(value)
    elif isinstance(value, time):
        value = f"{value:%H:%M}"
    shown = "" if value is None else value
    return {
        "name": name,
        "key": key or name,
        "value": shown,
        "usual": USUAL_CLOCKS,
        **flags,
    }


@register.simple_tag(takes_context=True)
def query(context: template.Context, **changes: object) -> str:
    """Return the present query string with some values changed."""
    asked = context["request"].GET.copy()
    for key, value in changes.items():
        if value in (None, ""):
            asked.pop(key, None)
        else:
            asked[key] = str(value)
    return f"?{asked.urlencode()}" if asked else "?"


@register.filter
def gio(moment: datetime | None) -> str:
    """Write the local hour and minute: 17:05."""
    return timezone.localtime(moment).strftime("%H:%M") if moment else "–"


@register.filter
def giay(moment: datetime | None) -> str:
    """Write the local time with seconds: 17:05:09."""
    return timezone.localtime(moment).strftime("%H:%M:%S") if moment else "–"


@register.filter
def ngay(moment: date | datetime | None) -> str:
    """Write the local day: 22/11/2026."""
    if moment is None:
        return "–"
    if isinstance(moment, datetime):
        moment = timezone.localtime(moment)
    return moment.strftime("%d/%m/%Y")


@register.filter
def luc(moment: datetime | None) -> str:
    """Write the local time and day: 17:05 22/11/2026."""
    return f"{gio(moment)} {ngay(moment)}" if moment else "–"


@register.filter
def trong_cau(name: str) -> str:
    """Write a unit's name inside a sentence: Xã Ia Grai → xã Ia Grai, Thôn 1 stays.

    Source: decree 30/2020/NĐ-CP, annex II, III.1.
    """
    kind = next((kind for kind in UNIT_KINDS if name.startswith(f"{kind} ")), "")
    if not kind or name[len(kind) + 1 : len(kind) + 2].isdecimal():
        return name
    return name if name in WRITTEN_LARGE else name[0].lower() + name[1:]


@register.filter
def thoi_luong(milliseconds: int | None) -> str:
    """Write a length: 0:07, 12:30."""
    if milliseconds is None:
        return "–"
    minutes, seconds = divmod(round(milliseconds / 1000), SECONDS_PER_MINUTE)
    return f"{minutes}:{seconds:02d}"


@register.filter
def so(number: float | None) -> str:
    """Write a number: 1.234 or 1.234,5."""
    if number is None:
        return "–"
    text = f"{number:,.1f}" if isinstance(number, float) else f"{number:,}"
    return text.replace(",", " ").replace(".", ",").replace(" ", ".")


@register.filter
def ma_ngan(sha256: str) -> str:
    """Write a hash so that two people can compare it: 3f2a 91c0 77de."""
    short = sha256[:SHORT_HASH]
    return " ".join(short[at : at + 4] for at in range(0, len(short), 4))


@register.filter
def error_sentence(error: DomainError) -> str:
    """Say an error in the reader's language."""
    return sentence(error.code, error.data)


@register.filter
def code_sentence(code: str) -> str:
    """Say a stored code in the reader's language."""
    return sentence(code)


@register.filter
def fold(text: str) -> str:
    """Return text for search without accents."""
    return names.fold(text)


@register.filter
def plain(number: float) -> str:
    """Write a number for a drawing, where a point stays a point."""
    return f"{number:g}"
