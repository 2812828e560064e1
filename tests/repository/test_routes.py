"""Every address is behind sign-in, or stands on the written public list below."""

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

# What anybody may open, and why. A new address belongs here or behind sign-in.
PUBLIC = {
    "account_login": "the door itself",
    "account_logout": "only ends a session, by POST",
    "account_inactive": "says why the door stays shut",
    "mfa_authenticate": "the second half of the door",
    "people:service_worker": "shows pushes; a browser asks for it by itself",
    "people:manifest": "how the pages stand on a home screen",
    "web:health": "tells a watchman that the process answers",
    "web:metrics": "answers this machine, named addresses, a token; else 404",
    # Who stands at a pole reports what is wrong with it, a few times an hour.
    "fleet_public:report": "the page that a device's QR label leads to",
    "fleet_public:thanks": "says that the report has arrived",
    # Organisations propose texts; each waits for a person of the unit.
    "newsroom_public:offer": "the form by which an organisation proposes a text",
    "newsroom_public:receipt": "what became of it, by a code nobody guesses",
    "newsroom_public:receive": "texts of systems that sign with their own secret",
    # People read their commune's page without an account.
    "portal:index": "the list of communes",
    "portal:commune": "a commune's page",
    "portal:sound": "a released sound",
    "portal:compact_sound": "a smaller copy of it",
    "portal:attached": "a picture, video or document of a released bulletin",
    # Figures that an approver gave to everybody, and nothing else.
    "open_data:index": "the list of what was published",
    "open_data:catalogue": "the same for programs",
    "open_data:figures": "published figures of a period",
    "open_data:table": "published figures as CSV",
    "open_data:data": "published figures as JSON",
    "open_data:score": "weights of the evaluation score, and shown results",
    "open_data:score_table": "shown results as CSV",
    "open_data:score_data": "weights and shown results as JSON",
    "listening:ask": "a village's questions, by a code nobody guesses",
    "channels:talk": "what a propagandist tells of a released bulletin",
    # Other makes of speakers fetch live speech by an address nobody can guess.
    "schedule:live_playlist": "live speech, by a secret address",
    "schedule:live_segment": "live speech, by a secret address",
    # The sound of public radio stations, while it is relayed, by the source's uid.
    "schedule:relay_playlist": "a relay that the server transcodes",
    "schedule:relay_segment": "a relay that the server transcodes",
}
# Devices prove themselves by a token of their own key instead of a session.
DEVICE_PREFIX = "device/v1/"
SAMPLES = {
    "uid": "abcdefghijkl",
    "sha256": "0" * 64,
    "code": "23764",
    "word_id": 1,
    "officer_id": 1,
    "role_id": 1,
    "deputy_id": 1,
    "absence_id": 1,
    "photo_id": 1,
    "command_id": 1,
}


def routes(
    patterns: list[Any], prefix: str = "", space: str = ""
) -> Iterator[tuple[str, str]]:
    """Yield (name, route) of every address of the server."""
    for entry in patterns:
        route = prefix + str(entry.pattern).lstrip("^").rstrip("$")
        if isinstance(entry, URLResolver):
            inner = f"{space}{entry.namespace}:" if entry.namespace else space
            yield from routes(entry.url_patterns, route, inner)
        elif isinstance(entry, URLPattern):
            yield f"{space}{entry.name or ''}", route


ALL = sorted(set(routes(get_resolver().url_patterns)))
CLOSED = [
    (name, route)
    for name, route in ALL
    if name not in PUBLIC and not route.startswith(DEVICE_PREFIX)
]


def fill(route: str) -> str:
    """Return an address of this route with plausible values in it."""
    parts = []
    # A pattern with a choice stands for its first word.
    route = re.sub(r"\(\?P<\w+>([^|)]*)[^)]*\)", r"\1", route)
    route = route.replace("[a-z2-7]{12}", str(SAMPLES["uid"]))
    for part in route.split("<"):
        if ">" in part:
            field, rest = part.split(">", 1)
            key = field.split(":")[-1]
            number = field.startswith("int:")
            parts.append(str(SAMPLES.get(key, 1 if number else "abcdefghijkl")) + rest)
        else:
            parts.append(part)
    return "/" + "".join(parts)


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "route"), CLOSED, ids=[n for n, _ in CLOSED])
def test_address_is_behind_sign_in(name: str, route: str, client: Client) -> None:
    page = client.get(fill(route))
    program = client.get(fill(route), headers={"accept": "application/json"})

    assert page.status_code in {HTTPStatus.FOUND, HTTPStatus.METHOD_NOT_ALLOWED}, name
    if page.status_code == HTTPStatus.FOUND:
        assert page.headers["Location"].startswith("/dang-nhap/")
        assert program.status_code == HTTPStatus.UNAUTHORIZED


def test_public_list_names_only_what_exists() -> None:
    assert set(PUBLIC) <= {name for name, _route in ALL}
