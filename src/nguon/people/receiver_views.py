"""Notices on this phone: the page that switches them on, and what the browser needs."""

from importlib import resources

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from nguon.people import actions
from nguon.people.answers import done, officer_of
from nguon.people.forms import read_text
from nguon.providers import push


@require_safe
def show_receivers(request: HttpRequest) -> HttpResponse:
    """Show one's own browsers, and the switch of this one."""
    try:
        key = push.public_key()
    except push.NoPushKeyError:
        key = ""
    receivers = officer_of(request).receivers.order_by("-created_at", "-pk")
    return render(
        request, "people/receivers.html", {"receivers": receivers, "push_key": key}
    )


@require_POST
def add_receiver(request: HttpRequest) -> HttpResponse:
    """Switch on the browser that asks; a line appears on it at once."""
    by, at = officer_of(request), timezone.now()
    receiver = actions.add_receiver(
        endpoint=read_text(request, "endpoint"),
        public_key=read_text(request, "public_key"),
        secret=read_text(request, "secret"),
        label=actions.label_of(request.headers.get("User-Agent", "")),
        by=by,
        at=at,
    )
    messages.success(request, "Đã bật báo. Hãy bấm Gửi thử để chắc là máy hiện báo.")
    return _back(request, receiver.pk)


@require_POST
def try_receiver(request: HttpRequest, receiver_id: int) -> HttpResponse:
    """Push a line to one's own browser."""
    by, at = officer_of(request), timezone.now()
    receiver = actions.try_receiver(receiver_id=receiver_id, by=by, at=at)
    messages.success(request, f"Đã gửi báo thử đến {receiver.label}.")
    return _back(request, receiver.pk)


@require_POST
def remove_receiver(request: HttpRequest, receiver_id: int) -> HttpResponse:
    """Switch off one of one's own browsers."""
    by, at = officer_of(request), timezone.now()
    label = actions.remove_receiver(receiver_id=receiver_id, by=by, at=at)
    messages.success(request, f"Đã tắt báo trên {label}.")
    return _back(request, receiver_id)


@require_safe
@login_not_required
def service_worker(_request: HttpRequest) -> HttpResponse:
    """Serve the script that shows a push: from the root, or it may open no page.

    A browser asks for it whenever it likes, signed in or not; it holds no secret.
    """
    script = resources.files("nguon.people") / "static/people/worker.js"
    return HttpResponse(
        script.read_bytes(),
        content_type="text/javascript; charset=utf-8",
        headers={"Cache-Control": "no-cache"},
    )


@require_safe
@login_not_required
def manifest(_request: HttpRequest) -> JsonResponse:
    """Say how the pages stand on a home screen: an iPhone pushes to nothing else."""
    icons = [
        {
            "src": static(f"web/icon-{size}.png"),
            "sizes": f"{size}x{size}",
            "type": "image/png",
        }
        for size in (192, 512)
    ]
    return JsonResponse(
        {
            "name": "Thông tin nguồn",
            "short_name": "Nguồn",
            "lang": settings.LANGUAGE_CODE,
            "start_url": "/",
            "scope": "/",
            "display": "standalone",
            "background_color": "#0b5545",
            "theme_color": "#0b5545",
            "icons": icons,
        },
        content_type="application/manifest+json",
    )


def _back(request: HttpRequest, receiver_id: int) -> HttpResponse:
    return done(request, to=reverse("people:receivers"), data={"receiver": receiver_id})
