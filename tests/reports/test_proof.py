"""A proof of practice is a paper of decree 30, for those who may see its page."""

from datetime import date, datetime
from http import HTTPStatus
from io import BytesIO

import pytest
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader

from nguon.people.models import Officer
from nguon.registers.models import Certificate, PracticeRun, PracticeStep
from nguon.registers.practice import rules
from nguon.territory.models import Unit

pytestmark = pytest.mark.django_db


@pytest.fixture
def proof(lan: Officer, ia_grai: Unit, now: datetime) -> Certificate:
    run = PracticeRun.objects.create(
        officer=lan,
        unit=ia_grai,
        began_at=now,
        touched_at=now,
        title="Họp làng Jút",
        body="Mời bà con họp.",
        seal="3f2a91c077de" + "0" * 52,
        starts_at=now,
    )
    for step in rules.ORDER:
        number = rules.number_of(step)
        PracticeStep.objects.create(run=run, number=number, kind=step, at=now)
    run.done_at = now
    run.save()
    return Certificate.objects.create(
        run=run, unit=ia_grai, year=2026, number=7, issued_on=date(2026, 11, 24)
    )


def test_the_paper_of_a_proof_tells_what_its_page_tells(
    client: Client, lan: Officer, hoa: Officer, proof: Certificate
) -> None:
    address = reverse("reports:practice_paper", args=[proof.run.uid])
    client.force_login(lan)

    answer = client.get(address)

    assert answer.headers["Content-Type"] == "application/pdf"
    pages = PdfReader(BytesIO(answer.content)).pages
    told = " ".join(" ".join(page.extract_text() for page in pages).split())
    assert len(pages) <= 2
    for words in (
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
        "GIẤY XÁC NHẬN",
        "Số: 7/2026",
        "Nguyễn Thị Lan",
        "Họp làng Jút",
        "3f2a 91c0 77de",
        reverse("registers:practice_proof", args=[proof.run.uid]),
    ):
        assert words in told
    assert "TM. ỦY BAN NHÂN DÂN" not in told
    assert client.get(address).content == answer.content
    client.force_login(hoa)
    assert client.get(address).status_code == HTTPStatus.NOT_FOUND
