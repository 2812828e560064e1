"""A village's page on a propagandist's phone: four questions in large letters.

No sign-in: who has the village's secret code writes answers of this one village, in
its days, as many as were asked for, and sees nothing of other answers. Nobody who is
asked is named. What was sent twice is one answer.
"""

import time
from datetime import timedelta
from http import HTTPStatus
from uuid import UUID, uuid4

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from nguon.core.errors import ConflictError, DomainError, InvalidError, RefusedError
from nguon.fleet.rate import Bucket
from nguon.indicators import actions, listening, listening_queries, sampling
from nguon.people.answers import wants_json

# From one address: propagandists in one hall, whose phones send what they kept.
_tries = Bucket(rate=1 / 2, burst=120)
_looks = Bucket(rate=1 / 2, burst=60)
MOST_HOUSEHOLDS = 5_000


def _check(bucket: Bucket, request: HttpRequest) -> None:
    address = str(request.META.get("REMOTE_ADDR", ""))
    if not bucket.take(address, at=time.monotonic()):
        raise RefusedError("web.too_many")


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest, code: str) -> HttpResponse:
    """Show the questions and keep an answer."""
    _check(_tries if request.method == "POST" else _looks, request)
    at = timezone.now()
    place = listening_queries.find_place(code)
    error: DomainError | None = None
    if request.method == "POST":
        try:
            return _keep(request, code)
        except (InvalidError, RefusedError, ConflictError) as wrong:
            if wants_json(request):
                raise
            error = wrong
    day = timezone.localdate(at)
    is_new = error is None or isinstance(error, ConflictError)
    context = {
        "place": place,
        "round": place.round,
        "is_begun": place.round.is_begun(day),
        "is_over": place.round.is_over(day),
        "last_date": place.round.after_date - timedelta(days=1),
        "back": listening_queries.count_back(place),
        "languages": listening.HEARD_IN.items(),
        "key": uuid4() if is_new else request.POST.get("key", ""),
        "sent": {} if is_new else request.POST,
        "kept": request.GET.get("da-nhan", "")[:4],
        "households": _households(request, place.ask, place.start),
        "asked": request.GET,
        "error": error,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK
    return render(request, "indicators/ask.html", context, status=status)


def _keep(request: HttpRequest, code: str) -> HttpResponse:
    try:
        key = UUID(request.POST.get("key", ""))
    except ValueError as error:
        raise InvalidError("indicators.listening_key") from error
    told = listening.read(request.POST.dict())
    answer = actions.tell(code=code, key=key, told=told, at=timezone.now())
    if wants_json(request):
        back = listening_queries.count_back(answer.place)
        return JsonResponse(
            {"number": answer.number, "met": back.met, "left": back.left}
        )
    return HttpResponseRedirect(f"{request.path}?da-nhan={answer.number}")


def _households(request: HttpRequest, ask: int, start: int) -> list[int]:
    """Return which households to go to, once their number is told."""
    text = request.GET.get("ho", "").strip()
    if not (text.isascii() and text.isdecimal() and len(text) <= len("5000")):
        return []
    count = min(int(text), MOST_HOUSEHOLDS)
    return sampling.list_households(households=count, ask=ask, start=start)
