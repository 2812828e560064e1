"""The pages of merges, as officers of the province and of a commune open them."""

from collections.abc import Callable
from http import HTTPStatus

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from nguon.fleet.models import Device
from nguon.people.models import Officer
from nguon.reorganization import access, actions, preview
from nguon.reorganization.models import Merge, Moved
from nguon.territory.models import Unit
from tests.conftest import MERGER
from tests.reorganization.conftest import World, make_device
from tests.schedule.test_relays import make_source

pytestmark = pytest.mark.django_db


def page(client: Client, officer: Officer, name: str, *args: object) -> str:
    client.force_login(officer)
    answer = client.get(reverse(f"reorganization:{name}", args=args))
    assert answer.status_code == HTTPStatus.OK, answer.content.decode()
    return answer.content.decode()


def test_an_empty_page_says_what_to_do_first(client: Client, quan: Officer) -> None:
    assert "Chưa sắp xếp lần nào" in page(client, quan, "merges")
    assert "Bảng kế thừa chưa có gì" in page(client, quan, "create")
    assert "Điều gì chuyển" in page(client, quan, "table")


def test_a_merge_is_drawn_up_decided_run_undone_and_confirmed_in_the_browser(
    client: Client,
    world: World,
    tra: Officer,
    tri: Officer,
    quan: Officer,
    dak_doa: Unit,
) -> None:
    make_device(world.doa, "Loa Đak Đoa", by=tra, at=timezone.now())
    make_source(world.to, "https://radio.vn/xa.mp3", by=quan, at=timezone.now())
    client.force_login(tra)
    sent = {"ten": "Sắp xếp xã", "ngay": "2025-07-01"}
    answer = client.post(reverse("reorganization:create"), sent)
    merge = Merge.objects.get()
    assert answer["Location"] == reverse("reorganization:merge", args=[merge.uid])

    shown = page(client, tra, "merge", merge.uid)
    assert "Cần người chọn nơi nhận" in shown
    assert "chạy sắp xếp" not in shown
    choose = reverse("reorganization:choose", args=[merge.uid, world.doa.pk])
    assert client.post(choose, {"noi": "x"}).status_code == 422
    client.post(choose, {"noi": dak_doa.pk})

    shown = page(client, tri, "merge", merge.uid)
    sha256 = preview.look(merge, at=timezone.now()).sha256
    assert f'value="{sha256}"' in shown
    run = reverse("reorganization:move", args=[merge.uid, "chay"])
    assert client.post(run, {"sha256": "0" * 64}).status_code == 409
    unread = client.post(run, {"sha256": sha256})
    assert unread.status_code == 409
    assert "kẻo loa im" in unread.content.decode()
    assert not Moved.objects.exists()
    sure = {"sha256": sha256, "biet_loa_im": "1"}
    assert client.post(run, sure).status_code == 302
    assert Device.objects.filter(unit=dak_doa).count() == 1
    assert "còn hoàn tác được" in page(client, tri, "merge", merge.uid)
    lines = client.get(reverse("reorganization:things_file", args=[merge.uid]))
    assert "Loa Ia Kha" in lines.content.decode()
    listed = client.get(
        reverse("reorganization:merge", args=[merge.uid]), {"loai": "people.Role"}
    )
    assert "Siu H&#x27;Lan: Người soạn" in listed.content.decode()

    Device.objects.filter(name="Loa Ia Kha").update(unit=dak_doa)
    undo = reverse("reorganization:move", args=[merge.uid, "hoan-tac"])
    refused = client.post(undo)
    assert refused.status_code == 409
    assert "Hoàn tác phần còn lại" in refused.content.decode()
    client.post(undo, {"phan_con_lai": "1"})
    assert "Đã hoàn tác" in page(client, tri, "merges")
    assert Device.objects.get(name="Loa Đak Đoa").unit == world.doa
    shown = page(client, tri, "merge", merge.uid)
    assert (
        "trước" not in shown.split("Đã chuyển, rồi đã trả về")[1].split("</table>")[0]
    )
    assert "Loa Ia Kha" in shown
    assert "Những mục này không hoàn tác" in shown
    assert "người soạn của tỉnh lập một lần mới" in shown
    assert "Hoàn tác phần còn lại" not in shown


def test_a_draft_with_nothing_to_move_says_so_and_asks_for_nobody(
    client: Client,
    old_map: object,
    province: Unit,
    tra: Officer,
) -> None:
    merge = actions.draft_merge(
        unit=province, day=MERGER, heirs=[], title="Trống", by=tra, at=timezone.now()
    )
    shown = page(client, tra, "merge", merge.uid)
    assert "Không có gì để chuyển, nên không cần chạy" in shown
    assert "một người duyệt khác" not in shown


def test_officers_of_a_commune_have_no_such_pages(
    client: Client, hoa: Officer, draft: Callable[..., Merge]
) -> None:
    merge = draft()
    client.force_login(hoa)
    assert client.get(reverse("reorganization:merges")).status_code == 403
    for verb in ("chay", "hoan-tac", "chot", "bo"):
        to = reverse("reorganization:move", args=[merge.uid, verb])
        assert client.post(to).status_code == 404
    for name in ("merge", "things_file"):
        to = reverse(f"reorganization:{name}", args=[merge.uid])
        assert client.get(to).status_code == 404


def test_a_draft_is_thrown_away_by_its_author(
    client: Client, tra: Officer, draft: Callable[..., Merge]
) -> None:
    merge = draft()
    client.force_login(tra)
    client.post(reverse("reorganization:move", args=[merge.uid, "bo"]))
    assert not Merge.objects.exists()


def test_a_program_reads_the_preview(
    client: Client, tri: Officer, draft: Callable[..., Merge]
) -> None:
    merge = draft()
    client.force_login(tri)
    told = client.get(
        reverse("reorganization:merge", args=[merge.uid]),
        headers={"accept": "application/json"},
    ).json()
    assert told["moves"]["fleet.Device"] == 3
    assert len(told["sha256"]) == 64


def test_an_unknown_commune_never_stands_for_the_whole_province(
    client: Client, world: World, tra: Officer
) -> None:
    client.force_login(tra)
    sent = {"ten": "Sắp xếp xã", "ngay": "2025-07-01", "xa": "zzzz"}
    answer = client.post(reverse("reorganization:create"), sent)
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "không nằm trong bảng kế thừa" in answer.content.decode()
    assert not Merge.objects.exists()


def test_of_several_provinces_none_is_meant_before_it_is_chosen(
    client: Client, world: World, tra: Officer, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Unit.objects.exclude(pk=world.doa.pk).filter(kind="commune").first()
    own = access.list_provinces(tra, at=timezone.now())
    monkeypatch.setattr(access, "list_provinces", lambda _who, at: [*own, other])
    shown = page(client, tra, "create")
    assert "Chọn tỉnh" in shown
    assert "selected" not in shown
    sent = {"ten": "Sắp xếp xã", "ngay": "2025-07-01"}
    answer = client.post(reverse("reorganization:create"), sent)
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert not Merge.objects.exists()
    client.post(reverse("reorganization:create"), {**sent, "tinh": own[0].uid})
    assert Merge.objects.get().unit == own[0]
