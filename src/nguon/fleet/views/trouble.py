"""The one public page of the fleet: say what is wrong with the speaker above you.

No sign-in, reached by the QR label on the pole. It tells the device's name and place
and nothing else, and takes a few reports an hour from one phone.
"""

import time

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from nguon.core.errors import AbsentError, InvalidError, TooManyError
from nguon.fleet import actions, queries, repairs
from nguon.fleet.rate import Bucket

# From one address: a family at a pole, not a program that tries codes.
_tries = Bucket(rate=1 / 60, burst=10)
_looks = Bucket(rate=1 / 2, burst=60)


def _check(bucket: Bucket, request: HttpRequest) -> None:
    address = str(request.META.get("REMOTE_ADDR", ""))
    if not bucket.take(address, at=time.monotonic()):
        raise TooManyError("web.too_many")


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest, code: str) -> HttpResponse:
    """Show the device of a label and take a report about it."""
    _check(_looks, request)
    device = queries.find_labelled(code)
    if device is None:
        raise AbsentError("fleet.label_unknown")
    error = ""
    if request.method == "POST":
        _check(_tries, request)
        try:
            actions.report_device(
                label=code,
                kind=request.POST.get("kind", ""),
                words=_text(request, "words", 500),
                contact=_text(request, "contact", 60),
                at=timezone.now(),
            )
            return HttpResponseRedirect(reverse("fleet_public:thanks", args=[code]))
        except InvalidError as wrong:
            error = wrong.code
    context = {
        "device": device,
        "code": code,
        "kinds": repairs.REPORTS.items(),
        "error": error,
        "asked": request.POST,
    }
    status = 422 if error else 200
    return render(request, "fleet/report.html", context, status=status)


@login_not_required
@require_safe
def thanks(request: HttpRequest, code: str) -> HttpResponse:
    """Say that the report has reached the technicians."""
    _check(_looks, request)
    device = queries.find_labelled(code)
    if device is None:
        raise AbsentError("fleet.label_unknown")
    return render(request, "fleet/report_done.html", {"device": device, "code": code})


def _text(request: HttpRequest, name: str, limit: int) -> str:
    return " ".join(request.POST.get(name, "").replace("\0", "").split())[:limit]
