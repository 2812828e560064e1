"""Opens a draft where papers of its kind are written."""

from collections.abc import Callable
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from nguon.people import access
from nguon.people.answers import officer_of
from nguon.people.models import AUTHOR
from nguon.schedule import papers, rules, station
from nguon.schedule.models import Paper
from nguon.schedule.views import programme, rules_editor
from nguon.schedule.views.papers import change_simple

EDITORS: dict[str, Callable[[HttpRequest, Paper, datetime], HttpResponse]] = {
    station.RULES: rules_editor.edit,
    station.PROGRAMME: programme.edit,
    station.SOURCE: change_simple,
    station.AUTHORITY: change_simple,
    station.CHAIN: change_simple,
}


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, uid: str) -> HttpResponse:
    """Open a draft where it is written; what was sent already is only read."""
    at = timezone.now()
    officer = officer_of(request)
    paper = papers.access_paper(uid=uid, officer=officer, at=at)
    access.check_can(officer, AUTHOR, unit=paper.unit, at=at)
    rules_editor.check_draft(request, paper)
    if paper.state != rules.DRAFT:
        return redirect("schedule:paper", uid=uid)
    if paper.kind not in EDITORS:
        return redirect("schedule:order")
    return EDITORS[paper.kind](request, paper, at)
