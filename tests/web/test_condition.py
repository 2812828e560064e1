"""Who keeps the system running sees how each part is; nobody else does."""

import socket
from collections.abc import Callable
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any

from django.test import Client

from nguon.core.metrics import GAUGE, figure
from nguon.fleet import telltale
from nguon.fleet.models import OutboxMessage
from nguon.fleet.telltale import Condition, Telltale
from nguon.people import actions as people
from nguon.people.models import ADMINISTRATOR, Officer
from nguon.territory.models import Unit
from nguon.web import checks, environment

JSON = {"accept": "application/json"}


def open_telltale(how: Callable[[], Condition]) -> tuple[Telltale, str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    found = Telltale(
        address, condition=how, figures=lambda: [figure("a", GAUGE, "A.", 1)]
    )
    found.open()
    return found, address


def test_only_an_administrator_of_the_province_sees_the_page(
    client: Client, lan: Officer, province: Unit, tung: Officer, now: datetime
) -> None:
    client.force_login(lan)
    assert client.get("/van-hanh/", headers=JSON).status_code == 403

    people.grant_role(officer=tung, unit=province, kind=ADMINISTRATOR, by=None, at=now)
    client.force_login(tung)
    assert client.get("/van-hanh/").status_code == 200


def test_the_page_says_which_part_does_not_answer_and_what_to_do(
    client: Client, admin: Officer, settings: object, now: datetime
) -> None:
    gateway, address = open_telltale(
        lambda: Condition(good=True, data={"bus": True, "waiting": 12})
    )
    settings.GATEWAY_HEALTH = address  # type: ignore[attr-defined]
    client.force_login(admin)
    OutboxMessage.objects.create(
        topic="t", payload="", created_at=now - timedelta(hours=1), not_after=now
    )

    told = client.get("/van-hanh/", headers=JSON).json()
    page = client.get("/van-hanh/").content.decode()
    gateway.close()
    after = client.get("/van-hanh/", headers=JSON).json()

    assert told["bus"] == ["good", "đang nối"]
    assert told["waiting"] == ["good", "12"]
    assert told["worker"][0] == told["outbox"][0] == "bad"
    assert "journalctl -u nguon-worker" in page
    assert (after["gateway"][0], after["bus"][0]) == ("bad", "unknown")


def test_figures_are_for_this_machine_alone(client: Client, db: None) -> None:
    here = client.get("/metrics")
    proxied = client.get("/metrics", headers={"x-forwarded-for": "127.0.0.1"})
    away = client.get("/metrics", REMOTE_ADDR="10.0.0.1")

    assert "nguon_outbox_waiting 0" in here.content.decode()
    assert "process_resident_memory_bytes" in here.content.decode()
    assert (proxied.status_code, away.status_code) == (404, 404)


def test_figures_go_to_named_addresses_or_for_a_token(
    client: Client, db: None, settings: Any
) -> None:
    def status(**asked: Any) -> int:
        return client.get("/metrics", **asked).status_code

    wrong = {"authorization": f"Bearer {'x' * 40}"}
    assert status(REMOTE_ADDR="10.0.0.1", headers=wrong) == 404
    settings.METRICS_FROM = [ip_network("10.0.0.0/24")]
    settings.METRICS_TOKEN = "k" * 40
    right = {"authorization": f"Bearer {'k' * 40}"}

    assert status(REMOTE_ADDR="10.0.0.1") == 200
    assert status(headers={"x-forwarded-for": "10.0.0.1"}) == 200
    assert status(REMOTE_ADDR="203.162.0.1", headers=right) == 200
    assert status(REMOTE_ADDR="203.162.0.1", headers=wrong) == 404
    assert status(REMOTE_ADDR="203.162.0.1") == 404
    # Who stands behind an allowed proxy is somebody else.
    for way in ("203.162.0.1", "10.0.0.1, 203.162.0.1", "203.162.0.1, 10.0.0.1", ""):
        for proxy in ("10.0.0.1", "127.0.0.1"):
            asked = {"x-forwarded-for": way}
            assert status(REMOTE_ADDR=proxy, headers=asked) == 404, way


def test_a_token_that_can_be_guessed_is_no_setting(settings: Any) -> None:
    settings.METRICS_TOKEN = "ngan"
    assert [error.id for error in checks.check_token(None)] == ["nguon.E004"]
    settings.METRICS_TOKEN = ""
    assert checks.check_token(None) == []
    assert environment.networks("NGUON_NOT_SET") == []


def test_a_process_tells_its_health_and_figures_on_loopback_alone() -> None:
    ill = Condition(good=False, data={"bus": False})
    found, address = open_telltale(lambda: ill)

    asked = telltale.ask(address)
    status, _kind, body = found.answer("/metrics")
    found.close()
    nowhere = Telltale("0.0.0.0:1", condition=lambda: ill, figures=list)
    nowhere.open()

    assert asked == ill
    assert (status, b"a 1" in body) == (200, True)
    assert telltale.ask(address) is None
    assert nowhere._server is None
