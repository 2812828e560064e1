"""What the frame of every page needs to know."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from nguon.emergency import queries as emergency
from nguon.newsroom import arrivals
from nguon.people import access
from nguon.people import queries as people
from nguon.people.models import ADMINISTRATOR, APPROVER, AUTHOR, Officer
from nguon.reorganization import access as reorganization
from nguon.schedule import papers
from nguon.schedule import queries as schedule

# Label, icon, the name of its address, and the beginning of its addresses.
NAVIGATION = (
    ("Hôm nay", "home", "web:today", ("/hom-nay",)),
    ("Bản tin", "page", "schedule:bulletins", ("/ban-tin", "/phat/")),
    (
        "Lịch phát",
        "week",
        "schedule:week",
        ("/lich-phat", "/dai/", "/chuong-trinh", "/giay-to", "/nguon-tiep-am"),
    ),
    ("Chờ duyệt", "check", "schedule:approvals", ("/cho-duyet", "/duyet")),
    ("Thiết bị", "speaker", "fleet:devices", ("/thiet-bi",)),
    ("Dừng phát", "stop", "emergency:stop", ("/dung-phat",)),
)
# What is managed and looked at sitting down; a phone has it in the account's menu.
OFFICE = (
    ("Tổng quan", "map", "dashboards:board", ("/tong-quan",)),
    ("Kế hoạch", "ring", "plan:plans", ("/ke-hoach",)),
    ("Báo cáo", "send", "reports:periods", ("/bao-cao",)),
    ("Chỉ tiêu", "chart", "indicators:figures", ("/chi-tieu",)),
    ("Sổ", "people", "registers:registers", ("/so/",)),
)

MOST_PLACES = 2


@dataclass(frozen=True)
class Door:
    """One way on in the navigation; a wide one has no room on a phone.

    There it stands in the account's menu instead.
    """

    label: str
    icon: str
    url: str
    here: bool
    is_wide: bool = False


def frame(request: HttpRequest) -> dict[str, Any]:
    """Return the navigation of a signed-in officer, and what they must not miss.

    Who is not signed in is told whose system this is.

    The counts are read only when a whole page is drawn, not for its fragments.
    """
    user = getattr(request, "user", None)
    at = timezone.now()
    if not isinstance(user, Officer):
        return {"doors": [], "provinces": _provinces(at)}
    return {
        "provinces": _provinces(at),
        "doors": _list_doors(request.path, user, at),
        "own_place": SimpleLazyObject(lambda: _place_of(user, at)),
        "unread": SimpleLazyObject(lambda: people.count_unread(user)),
        "arrival_count": SimpleLazyObject(lambda: arrivals.count_arrivals(user, at=at)),
        "waiting_count": SimpleLazyObject(
            lambda: (
                len(schedule.list_waiting(user, at=at))
                + len(papers.list_waiting(user, at=at))
            )
        ),
        "rearranges": SimpleLazyObject(
            lambda: bool(reorganization.list_provinces(user, at=at))
        ),
        "running_stops": SimpleLazyObject(lambda: emergency.list_active(user, at=at)),
    }


def _provinces(at: datetime) -> object:
    """Return, when a page asks, the provinces that this system serves by name."""
    day = timezone.localdate(at)
    return SimpleLazyObject(lambda: ", ".join(people.list_province_names(day=day)))


def _place_of(officer: Officer, at: datetime) -> str:
    """Return the places where an officer holds a role, as the frame names them.

    A superuser holds all of the country; what is named is what this system serves.
    """
    if officer.is_superuser:
        return ", ".join(people.list_province_names(day=timezone.localdate(at)))
    units = access.units_of(officer, at=at)
    names = ", ".join(unit.full_name for unit in units[:MOST_PLACES])
    return (
        f"{names} và {len(units) - MOST_PLACES} nơi nữa"
        if (len(units) > MOST_PLACES)
        else names
    )


def _list_doors(path: str, officer: Officer, at: datetime) -> list[Door]:
    """Return the doors; a thumb finds five of them, so each does without one."""
    writes = access.paths_of(officer, at=at, kinds=[AUTHOR, APPROVER, ADMINISTRATOR])
    spare = "fleet:devices" if writes else "schedule:bulletins"
    return [
        replace(_door(path, *entry), is_wide=entry[2] == spare or entry in OFFICE)
        for entry in NAVIGATION + OFFICE
    ]


def _door(path: str, label: str, icon: str, name: str, starts: tuple[str, ...]) -> Door:
    try:
        url = reverse(name)
    except NoReverseMatch:
        url = f"{starts[0]}/"
    here = path == "/" if url == "/" else path.startswith(starts)
    return Door(label=label, icon=icon, url=url, here=here)
