"""What the frame of every page needs to know."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

# Label, icon, the name of its address, and the beginning of its addresses.
NAVIGATION = (
    ("Hôm nay", "home", "web:today", "/hom-nay"),
    ("Bản tin", "page", "newsroom:list", "/ban-tin"),
    ("Chờ duyệt", "check", "schedule:approvals", "/cho-duyet"),
    ("Thiết bị", "speaker", "fleet:devices", "/thiet-bi"),
    ("Dừng phát", "stop", "emergency:stop", "/dung-phat"),
)


@dataclass(frozen=True)
class Door:
    """One way on in the navigation."""

    label: str
    icon: str
    url: str
    here: bool


def frame(request: HttpRequest) -> dict[str, Any]:
    """Return the navigation for a signed-in officer."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"doors": [], "debug_server": settings.DEBUG}
    return {"doors": [_door(request.path, *entry) for entry in NAVIGATION]}


def _door(path: str, label: str, icon: str, name: str, start: str) -> Door:
    try:
        url = reverse(name)
    except NoReverseMatch:
        url = start + "/"
    here = path == "/" if start == "/hom-nay" else path.startswith(start)
    return Door(label=label, icon=icon, url=url, here=here)
