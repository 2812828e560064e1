"""From a file or a pasted text to a draft: proposed by rules, finished by a person."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from nguon.audit import actions as audit
from nguon.fleet import actions as fleet
from nguon.fleet.models import Media
from nguon.newsroom import rules
from nguon.newsroom.actions.drafts import create_bulletin
from nguon.newsroom.actions.recordings import keep_recording
from nguon.newsroom.intake import kinds, limits, proposal, reader
from nguon.newsroom.models import Arrival, Bulletin, Intake
from nguon.people import access as people_access
from nguon.people.models import AUTHOR, Officer
from nguon.speech.render import Rendered
from nguon.territory.models import Unit

NOTHING_READ = "Trong tệp chỉ có hình trang giấy, máy không đọc được chữ. Hãy gõ lại."
NO_ENGINE = (
    "Máy chủ chưa cài phần đọc chữ trong ảnh, nên chưa có chữ nào. Ảnh giữ ở dưới; "
    "hãy nhìn ảnh mà gõ."
)
SEEN_BY_MACHINE = "Chữ do máy đọc từ ảnh, thường có chỗ sai. Hãy so từng dòng với ảnh."
VOICE = "Tin là bản ghi giọng nói. Hãy gõ nội dung để bảng tin và trang xã cùng có."


def take_file(
    *, unit: Unit, name: str, data: bytes, by: Officer, at: datetime
) -> Bulletin:
    """Begin a draft from a file; nothing is written unless the file could be read.

    The file is opened in a process of its own, under limits. Raises FileRefusedError
    and InvalidError with a code for what is wrong, RefusedError without the right.
    """
    people_access.check_can(by, AUTHOR, unit=unit, at=at)
    taken = limits.read_file(
        data,
        purpose=reader.DOCUMENT,
        options=reader.Options(rules.RECORDING_SECONDS),
    )
    kind = taken.facts["kind"]
    if kind == kinds.SOUND:
        return _take_voice(unit, name, taken, by, at)
    text = taken.facts["text"]
    notes = []
    if kind == kinds.PICTURE:
        notes.append(SEEN_BY_MACHINE if text.strip() else NO_ENGINE)
        if taken.facts["engine"] and not text.strip():
            notes = [NOTHING_READ]
    elif not text.strip():
        notes.append(NOTHING_READ)
    return _propose(unit, kind, name, text, notes, taken.made, by, at)


def take_text(*, unit: Unit, text: str, by: Officer, at: datetime) -> Bulletin:
    """Begin a draft from a pasted text. Raises DraftError when there is none."""
    people_access.check_can(by, AUTHOR, unit=unit, at=at)
    if not proposal.clean(text):
        raise rules.DraftError("newsroom.nothing_sent")
    return _propose(unit, kinds.TEXT, "", text, [], b"", by, at)


def take_arrived(*, arrival: Arrival, by: Officer, at: datetime) -> Bulletin:
    """Begin a draft from a text that came in; its own title stays, and whose it is.

    A source that supplies no longer is not named. Raises NoRightError, AbsentError.
    """
    supplier = arrival.supplier
    start = rules.Draft(
        title=arrival.title,
        body="",
        field=arrival.field,
        supplier=supplier.pk if supplier and supplier.ended_at is None else None,
    )
    whose = supplier.name if supplier else arrival.source_name
    notes = [f"{rules.ORIGINS[arrival.origin]}: {arrival.source_name}."]
    if arrival.published_at:
        notes.append(f"Nguồn đăng lúc {_when(arrival.published_at)}.")
    if arrival.link:
        notes.append(f"Địa chỉ gốc: {arrival.link}")
    if arrival.wished_on:
        notes.append(f"Nơi gửi mong phát ngày {arrival.wished_on:%d/%m/%Y}.")
    if arrival.corrects:
        notes.append("Nguồn đã sửa tin này sau khi xã nhận bản trước. Hãy so hai bản.")
    text = arrival.body or arrival.title
    return _propose(
        arrival.unit,
        rules.ARRIVAL,
        arrival.source_name,
        text,
        notes,
        b"",
        by,
        at,
        start=start,
        issuer=whose,
    )


def _when(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%H:%M %d/%m/%Y}"


@transaction.atomic
def _propose(
    unit: Unit,
    kind: str,
    name: str,
    text: str,
    notes: list[str],
    picture: bytes,
    by: Officer,
    at: datetime,
    *,
    start: rules.Draft | None = None,
    issuer: str = "",
) -> Bulletin:
    """Begin a draft; what `start` tells is known and not guessed again."""
    known = start or rules.Draft(title="", body="")
    proposed = proposal.propose(
        text,
        day=timezone.localdate(at),
        issuer=issuer or _speaker(unit),
        title=known.title,
    )
    draft = rules.Draft(
        title=proposed.title[: rules.TITLE_LIMIT],
        body=proposed.body[: rules.BODY_LIMIT],
        # The first field is what whoever entered it did not choose.
        field=known.field if known.field > 1 else proposed.field,
        expires_on=proposed.expires_on,
        supplier=known.supplier,
    )
    bulletin = create_bulletin(unit=unit, draft=draft, by=by, at=at)
    media = None
    if picture:
        media = fleet.store_media(data=picture, mime="image/jpeg", duration_ms=0, at=at)
    said = [*notes, *(proposed.notes if proposed.body else ())]
    _keep(bulletin, kind, name, proposal.clean(text), said, media, by, at)
    return bulletin


def _speaker(unit: Unit) -> str:
    return f"Ủy ban nhân dân {unit.full_name[:1].lower()}{unit.full_name[1:]}"


@transaction.atomic
def _take_voice(
    unit: Unit, name: str, taken: limits.Taken, by: Officer, at: datetime
) -> Bulletin:
    day = timezone.localtime(at)
    draft = rules.Draft(title=f"Tin bằng giọng nói ngày {day:%d/%m/%Y}", body="")
    bulletin = create_bulletin(unit=unit, draft=draft, by=by, at=at)
    sound = Rendered(mp3=taken.made, **taken.facts["sound"])
    keep_recording(bulletin=bulletin, language="vi", sound=sound, by=by, at=at)
    _keep(bulletin, kinds.SOUND, name, "", [VOICE], None, by, at)
    return bulletin


def _keep(
    bulletin: Bulletin,
    kind: str,
    name: str,
    text: str,
    notes: list[str],
    picture: Media | None,
    by: Officer,
    at: datetime,
) -> None:
    Intake.objects.create(
        bulletin=bulletin,
        kind=kind,
        name=proposal.clean(name)[:200],
        text=text,
        notes=notes,
        picture=picture,
        taken_by=by,
        taken_at=at,
    )
    audit.record(
        "newsroom.file.taken", target=bulletin, by=by, at=at, data={"kind": kind}
    )
