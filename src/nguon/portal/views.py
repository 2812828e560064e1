"""The public pages: a list of communes, a commune's bulletins, and their sound."""

from datetime import UTC, datetime

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from nguon.core.errors import AbsentError
from nguon.fleet import files
from nguon.portal import queries


@login_not_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Show the communes; `q` searches, accents optional."""
    text = request.GET.get("q", "")[:80]
    communes = queries.list_communes(text, at=datetime.now(UTC))
    return render(request, "portal/index.html", {"communes": communes, "q": text})


@login_not_required
@require_safe
def commune(request: HttpRequest, uid: str) -> HttpResponse:
    """Show a commune's released bulletins, running emergencies first.

    The page of a past commune leads to who has its ground today.
    """
    at = datetime.now(UTC)
    try:
        unit = queries.get_commune(uid, at=at)
    except AbsentError:
        heirs = queries.list_heirs(uid, at=at)
        if not heirs:
            raise
        if len(heirs) == 1:
            return redirect("portal:commune", heirs[0].uid)
        return render(request, "portal/index.html", {"communes": heirs, "q": ""})
    notices = queries.list_notices(unit, at=at)
    return render(request, "portal/commune.html", {"unit": unit, "notices": notices})


@login_not_required
@require_safe
def sound(
    request: HttpRequest, uid: str, broadcast: str, *, compact: bool = False
) -> HttpResponseBase:
    """Play the sound of a released bulletin; what is not released is not here."""
    at = datetime.now(UTC)
    unit = queries.get_commune(uid, at=at)
    language = request.GET.get("tieng", "")
    media = queries.get_sound(unit, broadcast, language, at=at, compact=compact)
    response = files.serve(request, media)
    # Asked for anew each time: what was called off is not played from a cache.
    response["Cache-Control"] = "no-cache"
    return response


@login_not_required
@require_safe
def attached(
    request: HttpRequest, uid: str, broadcast: str, sha256: str
) -> HttpResponseBase:
    """Show a picture or video of a released bulletin, or give its document away."""
    at = datetime.now(UTC)
    unit = queries.get_commune(uid, at=at)
    media = queries.get_attached(unit, broadcast, sha256, at=at)
    response = files.serve_shown(request, media)
    response["Cache-Control"] = "no-cache"
    return response
