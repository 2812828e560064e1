"""The history of a bulletin with its differences, and remarks."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from nguon.newsroom import actions, history
from nguon.newsroom.access import access_bulletin
from nguon.people.answers import done, officer_of


@require_safe
def show(request: HttpRequest, uid: str) -> HttpResponse:
    """Show every text a bulletin had, who did what, and what was remarked."""
    at = timezone.now()
    bulletin = access_bulletin(uid=uid, officer=officer_of(request), at=at)
    context = {
        "bulletin": bulletin,
        "texts": history.list_texts(bulletin),
        "acts": history.list_acts(bulletin),
        "comments": history.list_comments(bulletin),
    }
    return render(request, "newsroom/history.html", context)


@require_POST
def comment(request: HttpRequest, uid: str) -> HttpResponse:
    """Take a remark."""
    actions.add_comment(
        uid=uid,
        text=request.POST.get("text", ""),
        by=officer_of(request),
        at=timezone.now(),
    )
    address = reverse("newsroom:history", args=[uid]) + "#gop-y"
    return done(request, to=address, data={"bulletin_uid": uid})
