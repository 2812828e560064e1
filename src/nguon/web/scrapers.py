"""Who may read the figures of this system: this machine, or whoever the operator says.

Without settings nobody else; figures of a safety system are nobody else's business.
"""

from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from nguon.fleet.telltale import LOOPBACK

BEARER = "Bearer "


def may_scrape(request: HttpRequest) -> bool:
    """Say whether a request for figures comes from this machine, or is allowed.

    A bearer token opens from anywhere. What came through a proxy carries its mark:
    then every address of the way must be allowed, so that a proxy on an allowed
    address (or on this machine) opens nothing to who stands behind it.
    """
    if _has_token(request):
        return True
    caller = request.META.get("REMOTE_ADDR", "")
    forwarded = request.headers.get("X-Forwarded-For")
    if forwarded is None:
        return caller in LOOPBACK or _is_allowed(caller)
    way = [address.strip() for address in forwarded.split(",")]
    return all(map(_is_allowed, way)) and (caller in LOOPBACK or _is_allowed(caller))


def _has_token(request: HttpRequest) -> bool:
    given = request.headers.get("Authorization", "")
    if not settings.METRICS_TOKEN or not given.startswith(BEARER):
        return False
    return constant_time_compare(given.removeprefix(BEARER), settings.METRICS_TOKEN)


def _is_allowed(address: str) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in settings.METRICS_FROM)
