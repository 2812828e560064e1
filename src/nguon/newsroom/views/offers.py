"""The public door: organisations propose a text, systems send one, both ask after it.

No sign-in, so it is slow for programs: few tries from one address, a page that must
have been open a while, a box that people do not see. What comes in waits for a person.
"""

import time
from datetime import date, datetime
from http import HTTPStatus
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_not_required
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from nguon.core import phones
from nguon.core.errors import (
    AbsentError,
    DomainError,
    InvalidError,
    RefusedError,
    TooManyError,
)
from nguon.fleet.rate import Bucket
from nguon.newsroom import actions, inbound, rules
from nguon.newsroom.arrivals import find_receipt
from nguon.newsroom.forms import read_day, read_number
from nguon.newsroom.models import Arrival
from nguon.people.answers import wants_json
from nguon.providers import signatures
from nguon.territory.models import Unit

# From one address: an office with several desks, not a program that fills boxes.
_tries = Bucket(rate=1 / 60, burst=10)
_looks = Bucket(rate=1 / 2, burst=60)
_messages = Bucket(rate=5, burst=300)
_page = signing.TimestampSigner(salt="newsroom.offer")


def _check(bucket: Bucket, key: str) -> None:
    if not bucket.take(key, at=time.monotonic()):
        raise TooManyError("web.too_many")


def _address(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def offer(request: HttpRequest, uid: str) -> HttpResponse:
    """Take a proposal for a unit, and give a receipt for it."""
    _check(_looks, _address(request))
    at = timezone.now()
    today = timezone.localdate(at)
    units = Unit.objects.as_of(today).filter(kind__in=rules.OFFERED_TO, uid=uid)
    unit = units.select_related("parent").first()
    if unit is None:
        raise AbsentError("newsroom.unit_absent")
    error: DomainError | None = None
    if request.method == "POST":
        _check(_tries, _address(request))
        try:
            arrival = _take(request, unit, today, at)
            code = urlencode({"ma": arrival.receipt, "moi": "1"})
            return HttpResponseRedirect(f"{reverse('newsroom_public:receipt')}?{code}")
        except (InvalidError, RefusedError) as wrong:
            error = wrong
    context = {
        "unit": unit,
        "page": _page.sign(unit.uid),
        "fields": rules.FIELDS.items(),
        "typed": request.POST,
        "error": error,
        "title_limit": rules.TITLE_LIMIT,
        "body_limit": rules.BODY_LIMIT,
        "sender_days": rules.SENDER_DAYS,
        "longest_days": rules.SENDER_LONGEST_DAYS,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK
    return render(request, "newsroom/offer.html", context, status=status)


def _take(request: HttpRequest, unit: Unit, today: date, at: datetime) -> Arrival:
    sent = request.POST
    _check_person(sent.get("page", ""), unit, trap=sent.get("website", ""))
    return actions.offer_text(
        unit=unit,
        sender=sent.get("sender", ""),
        phone=sent.get("phone", ""),
        organisation=sent.get("organisation", ""),
        title=sent.get("title", ""),
        text=sent.get("text", ""),
        field=read_number(sent.get("field"), 1),
        wished_on=read_day(sent.get("wished_on"), None, today=today),
        at=at,
    )


def _check_person(page: str, unit: Unit, *, trap: str) -> None:
    """Refuse what no person sends: RefusedError `newsroom.offer_refused`."""
    try:
        opened = _page.unsign(page, max_age=rules.OFFER_PAGE_SECONDS)
    except signing.BadSignature as error:
        raise RefusedError("newsroom.offer_refused") from error
    # Nobody has read and filled the page by then: its mark must be older than this.
    try:
        _page.unsign(page, max_age=rules.OFFER_FASTEST_SECONDS)
        is_fast = True
    except signing.SignatureExpired:
        is_fast = False
    if trap or is_fast or opened != unit.uid:
        raise RefusedError("newsroom.offer_refused")


@login_not_required
@require_safe
def receipt(request: HttpRequest) -> HttpResponse:
    """Tell whoever has the code what became of a proposal."""
    _check(_looks, _address(request))
    typed = request.GET.get("ma", "")[:40]
    arrival = find_receipt(typed) if typed else None
    if wants_json(request):
        if arrival is None:
            raise AbsentError("newsroom.receipt_unknown")
        return JsonResponse(_facts(arrival))
    context = {
        "arrival": arrival,
        "typed": typed,
        "is_new": "moi" in request.GET,
        "phone": phones.mask(arrival.phone) if arrival else "",
    }
    status = HTTPStatus.NOT_FOUND if typed and arrival is None else HTTPStatus.OK
    return render(request, "newsroom/receipt.html", context, status=status)


def _facts(arrival: Arrival) -> dict[str, object]:
    return {
        "receipt": arrival.receipt,
        "state": arrival.state,
        "reason": arrival.reason,
        "arrived_at": arrival.arrived_at.isoformat(),
        "decided_at": arrival.decided_at and arrival.decided_at.isoformat(),
    }


@login_not_required
@csrf_exempt
@require_POST
def receive(request: HttpRequest) -> JsonResponse:
    """Take a signed message of another system; the same one again is no second one."""
    _check(_messages, _address(request))
    told_bytes = read_number(request.headers.get("Content-Length"), 0)
    if told_bytes > rules.MESSAGE_BYTES or len(request.body) > rules.MESSAGE_BYTES:
        raise InvalidError("newsroom.message_unreadable", part="length")
    at = timezone.now()
    body = request.body
    name = request.headers.get("X-Nguon-Account", "")
    mark = request.headers.get(signatures.HEADER, "")
    account = inbound.check_signature(name, body, mark)
    told = inbound.read(body, at=at)
    unit = inbound.unit_for(account, told.unit, day=timezone.localdate(at))
    arrival = actions.receive_text(
        unit=unit,
        account=account.name,
        label=account.label,
        reference=told.reference,
        title=told.title,
        text=told.text,
        field=told.field,
        link=told.link,
        wished_on=told.wished_on,
        at=at,
    )
    return JsonResponse(_facts(arrival))
