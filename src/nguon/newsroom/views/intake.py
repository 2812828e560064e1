"""From what an officer has to a draft: paste, a file, a photo, a voice."""

from datetime import datetime
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
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
from nguon.newsroom.forms import read_number, unit_to_write_for
from nguon.newsroom.intake import reader
from nguon.newsroom.models import Bulletin
from nguon.people import access as people_access
from nguon.people.answers import done, officer_of, wants_json
from nguon.people.models import AUTHOR
from nguon.territory.models import Unit

OFFSET = "Upload-Offset"


@require_http_methods(["GET", "POST"])
def take(request: HttpRequest) -> HttpResponse:
    """Take a text or a file, and open the draft that is proposed from it."""
    at = timezone.now()
    officer = officer_of(request)
    units = people_access.units_of(officer, at=at, kinds=[AUTHOR])
    context = {
        "units": units,
        "reads_pictures": reader.find_engine() is not None,
        "piece_bytes": rules.PIECE_BYTES,
        "text": request.POST.get("text", ""),
    }
    if request.method == "GET":
        return render(request, "newsroom/take_in.html", context)
    unit = unit_to_write_for(request, at)
    try:
        bulletin = _take(request, unit, at)
    except InvalidError as error:
        if wants_json(request):
            raise
        return render(
            request,
            "newsroom/take_in.html",
            context | {"error": error},
            status=HTTPStatus.UNPROCESSABLE_ENTITY,
        )
    address = reverse("newsroom:edit", args=[bulletin.uid])
    return done(request, to=address, data={"bulletin_uid": bulletin.uid})


def _take(request: HttpRequest, unit: Unit, at: datetime) -> Bulletin:
    officer = officer_of(request)
    if request.POST.get("upload"):
        name, data = actions.take_upload(uid=request.POST["upload"], by=officer, at=at)
        return actions.take_file(unit=unit, name=name, data=data, by=officer, at=at)
    sent = request.FILES.get("file")
    if sent is not None:
        actions.check_size(sent.size or 0)
        return actions.take_file(
            unit=unit, name=sent.name or "", data=sent.read(), by=officer, at=at
        )
    return actions.take_text(
        unit=unit, text=request.POST.get("text", ""), by=officer, at=at
    )


@require_POST
def begin(request: HttpRequest) -> HttpResponse:
    """Make room for a file that will come in pieces."""
    upload = actions.begin_upload(
        name=request.POST.get("name", ""),
        size=read_number(request.POST.get("size"), 0),
        by=officer_of(request),
        at=timezone.now(),
    )
    address = reverse("newsroom:upload", args=[upload.uid])
    facts = {"uid": upload.uid, "url": address, "piece": rules.PIECE_BYTES}
    answer = JsonResponse(facts, status=HTTPStatus.CREATED)
    answer["Location"] = address
    answer[OFFSET] = "0"
    return answer


@require_http_methods(["HEAD", "PATCH"])
def piece(request: HttpRequest, uid: str) -> HttpResponse:
    """Tell how far a file came, or append the next piece of it."""
    at = timezone.now()
    officer = officer_of(request)
    if request.method == "HEAD":
        upload = actions.access_upload(uid=uid, officer=officer, at=at)
    else:
        told = read_number(request.headers.get("Content-Length"), 0)
        if told > rules.PIECE_BYTES:
            raise actions.UploadError("newsroom.upload_piece")
        upload = actions.append_upload(
            uid=uid,
            offset=read_number(request.headers.get(OFFSET), -1),
            data=request.body,
            by=officer,
            at=at,
        )
    answer = HttpResponse(status=HTTPStatus.NO_CONTENT)
    answer[OFFSET] = str(upload.received)
    answer["Upload-Length"] = str(upload.size)
    return answer


@require_safe
def picture(request: HttpRequest, uid: str, sha256: str) -> HttpResponseBase:
    """Serve a picture of a bulletin to whoever may open the bulletin."""
    at = timezone.now()
    bulletin = access_bulletin(uid=uid, officer=officer_of(request), at=at)
    media = queries.find_media(bulletin, sha256=sha256)
    if media is None or not media.mime.startswith("image/"):
        raise AbsentError("newsroom.picture_absent")
    return files.serve(request, media)
