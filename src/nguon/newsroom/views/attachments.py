"""Pictures, videos and documents of a draft: added, described, removed, shown."""

from http import HTTPStatus

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from nguon.core.errors import AbsentError, InvalidError
from nguon.fleet import files
from nguon.newsroom import actions, queries, rules
from nguon.newsroom.access import access_bulletin
from nguon.newsroom.models import Attachment, Bulletin
from nguon.people import access as people_access
from nguon.people.answers import done, officer_of, wants_json
from nguon.people.models import AUTHOR


@require_http_methods(["GET", "POST"])
def add(request: HttpRequest, uid: str) -> HttpResponse:
    """Show what stands beside a draft, and take one more file."""
    at = timezone.now()
    officer = officer_of(request)
    bulletin = access_bulletin(uid=uid, officer=officer, at=at)
    people_access.check_can(officer, AUTHOR, unit=bulletin.unit, at=at)
    if request.method == "GET":
        return _page(request, bulletin)
    try:
        attachment = _add(request, bulletin)
    except InvalidError as error:
        if wants_json(request):
            raise
        return _page(request, bulletin, error)
    facts = {"uid": attachment.uid, "kind": attachment.kind, "state": attachment.state}
    return done(request, to=_address(uid), data=facts)


def _page(
    request: HttpRequest, bulletin: Bulletin, error: InvalidError | None = None
) -> HttpResponse:
    attached = list(bulletin.attachments.select_related("media", "poster"))
    context = {
        "bulletin": bulletin,
        "attached": attached,
        "is_working": any(one.state in _UNDER_WAY for one in attached),
        "most": rules.MOST_ATTACHED,
        "video_minutes": rules.VIDEO_SECONDS // 60,
        "caption_limit": rules.CAPTION_LIMIT,
        "error": error,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK
    return render(request, "newsroom/attachments.html", context, status=status)


_UNDER_WAY = {Attachment.ASKED, Attachment.WORKING}


def _add(request: HttpRequest, bulletin: Bulletin) -> Attachment:
    at, officer = timezone.now(), officer_of(request)
    sent = request.FILES.get("file")
    if request.POST.get("upload"):
        name, data = actions.take_upload(uid=request.POST["upload"], by=officer, at=at)
    elif sent is not None:
        actions.check_size(sent.size or 0)
        name, data = sent.name or "", sent.read()
    else:
        raise rules.DraftError("newsroom.attachment_not_sent")
    return actions.add_attachment(
        bulletin_id=bulletin.pk,
        name=name,
        data=data,
        caption=request.POST.get("caption", ""),
        by=officer,
        at=at,
    )


def _address(uid: str) -> str:
    return reverse("newsroom:attach", args=[uid])


@require_POST
def describe(request: HttpRequest, uid: str, item: str) -> HttpResponse:
    """Keep the line that says what is to be seen."""
    at, officer = timezone.now(), officer_of(request)
    bulletin = access_bulletin(uid=uid, officer=officer, at=at)
    actions.describe_attachment(
        bulletin_id=bulletin.pk,
        uid=item,
        caption=request.POST.get("caption", ""),
        by=officer,
        at=at,
    )
    messages.success(request, "Đã lưu lời ghi.")
    return redirect(_address(uid))


@require_POST
def remove(request: HttpRequest, uid: str, item: str) -> HttpResponse:
    """Take one away from the draft."""
    at, officer = timezone.now(), officer_of(request)
    bulletin = access_bulletin(uid=uid, officer=officer, at=at)
    actions.remove_attachment(bulletin_id=bulletin.pk, uid=item, by=officer, at=at)
    messages.success(request, "Đã bỏ tệp kèm.")
    return redirect(_address(uid))


@require_safe
def show(request: HttpRequest, uid: str, sha256: str) -> HttpResponseBase:
    """Serve one to whoever may open the bulletin; a document is for saving."""
    at = timezone.now()
    bulletin = access_bulletin(uid=uid, officer=officer_of(request), at=at)
    media = queries.find_media(bulletin, sha256=sha256)
    if media is None:
        raise AbsentError("newsroom.attachment_absent")
    return files.serve_shown(request, media)
