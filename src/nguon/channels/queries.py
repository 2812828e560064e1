"""Reads of the channels: where one bulletin went, what left at what cost, the books."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from nguon.channels import rules
from nguon.channels.models import Contact, Delivery, Document
from nguon.core.errors import AbsentError
from nguon.fleet.models import BOARD
from nguon.newsroom import channels as kinds
from nguon.people import access
from nguon.people.models import Officer
from nguon.providers import accounts
from nguon.schedule import rules as schedule_rules
from nguon.schedule import tallies
from nguon.schedule.models import Broadcast
from nguon.schedule.queries import BROKEN_OFF, SILENT, SOUNDED
from nguon.territory.names import fold


@dataclass(frozen=True)
class Way:
    """One channel of one bulletin: what it said, and what came of it, in numbers.

    `asked` whether it was chosen; `meant` and `done` count devices, communes or
    addresses; `failed` those that will not get it any more.
    """

    channel: str
    name: str
    asked: bool
    text: str = ""
    meant: int = 0
    done: int = 0
    failed: int = 0
    withdrawn: int = 0
    cost_dong: int = 0
    document: Document | None = None
    unconnected: bool = False

    @property
    def waiting(self) -> int:
        """Return how many are still to come."""
        return max(0, self.meant - self.done - self.failed - self.withdrawn)


def list_ways(broadcast: Broadcast) -> list[Way]:
    """Return all eight channels of a bulletin, in the order of the decree."""
    asked = dict(broadcast.version.channels.values_list("channel", "text"))
    sent = _count_deliveries(broadcast)
    served = {account.channel for account in accounts.read().values()}
    ways = {kinds.STATION: _station(broadcast), kinds.BOARD: _board(broadcast)}
    ways[kinds.PORTAL] = _portal(broadcast)
    for channel in kinds.CHOSEN:
        counts = sent.get(channel, {})
        ways[channel] = Way(
            channel=channel,
            name=kinds.KINDS[channel],
            asked=channel in asked,
            text=asked.get(channel, ""),
            meant=counts.get("meant") or 0,
            done=counts.get("done") or 0,
            failed=counts.get("failed") or 0,
            withdrawn=counts.get("withdrawn") or 0,
            cost_dong=counts.get("cost") or 0,
            document=Document.objects.filter(broadcast=broadcast).first()
            if channel == kinds.DOCUMENT
            else None,
            unconnected=channel in (kinds.SOCIAL, kinds.SMS) and channel not in served,
        )
    return [ways[channel] for channel in kinds.KINDS]


def _count_deliveries(broadcast: Broadcast) -> dict[str, Mapping[str, Any]]:
    rows = Delivery.objects.filter(broadcast=broadcast).values("channel")
    counted = rows.order_by("channel").annotate(
        meant=Count("pk"),
        done=Count("pk", filter=Q(state=rules.SENT)),
        failed=Count("pk", filter=Q(state=rules.FAILED)),
        withdrawn=Count("pk", filter=Q(state=rules.WITHDRAWN)),
        cost=Sum("cost_dong"),
    )
    return {row["channel"]: row for row in counted}


def _station(broadcast: Broadcast) -> Way:
    speakers = broadcast.audience.exclude(device__kind=BOARD)
    plays = broadcast.plays.exclude(device__kind=BOARD)
    sounded = plays.filter(SOUNDED & ~BROKEN_OFF & ~SILENT)
    kept = tallies.kept_devices(broadcast.airings.all())
    return Way(
        kinds.STATION,
        kinds.KINDS[kinds.STATION],
        asked=True,
        meant=speakers.count(),
        done=max(sounded.values("device").distinct().count(), sum(kept.values())),
    )


def _board(broadcast: Broadcast) -> Way:
    boards = broadcast.audience.filter(device__kind=BOARD)
    shown = broadcast.plays.filter(shown_at__isnull=False)
    kept = tallies.kept_devices(broadcast.airings.all(), "shown")
    return Way(
        kinds.BOARD,
        kinds.KINDS[kinds.BOARD],
        asked=boards.exists(),
        meant=boards.count(),
        done=max(shown.values("device").distinct().count(), sum(kept.values())),
    )


def _portal(broadcast: Broadcast) -> Way:
    """Count the communes on whose public page it can be read now."""
    meant = broadcast.carriers.count()
    is_out = broadcast.state == schedule_rules.APPROVED and not broadcast.is_offered
    return Way(
        kinds.PORTAL,
        kinds.KINDS[kinds.PORTAL],
        asked=True,
        meant=meant,
        done=meant if is_out else 0,
    )


def list_deliveries(
    officer: Officer, asked: Mapping[str, str], *, at: datetime
) -> QuerySet[Delivery]:
    """Return what left, or shall, from an officer's own ground; the latest first.

    `asked`: `kenh`, `tinh_trang`, `tin` (a broadcast), `q` (words of the title).
    """
    found = access.fence(
        Delivery.objects.all(), officer=officer, at=at, unit="broadcast__unit"
    )
    if asked.get("kenh") in kinds.CHOSEN:
        found = found.filter(channel=asked["kenh"])
    if asked.get("tinh_trang") in rules.STATES:
        found = found.filter(state=asked["tinh_trang"])
    if asked.get("tin"):
        found = found.filter(broadcast__uid=asked["tin"])
    for word in fold(asked.get("q", "")).split():
        found = found.filter(broadcast__version__bulletin__folded__contains=word)
    related = ("broadcast__version", "broadcast__unit")
    return found.select_related(*related).order_by("-pk")


def list_contacts(
    officer: Officer, asked: Mapping[str, str], *, at: datetime
) -> QuerySet[Contact]:
    """Return the books of an officer's ground, by name; `q` searches name, address."""
    found = access.fence(Contact.objects.all(), officer=officer, at=at)
    if asked.get("loai") in rules.ADDRESS_KINDS:
        found = found.filter(kind=asked["loai"])
    words = asked.get("q", "").strip()
    if words:
        digits = words.lstrip("0+").replace(" ", "")
        found = found.filter(Q(name__icontains=words) | Q(address__contains=digits))
    return found.select_related("unit").order_by("unit__path", "name", "pk")


def list_documents(
    officer: Officer, asked: Mapping[str, str], *, at: datetime
) -> QuerySet[Document]:
    """Return the registers of documents of an officer's ground, the latest first."""
    found = access.fence(Document.objects.all(), officer=officer, at=at)
    if asked.get("nam", "").isdecimal():
        found = found.filter(year=int(asked["nam"]))
    for word in fold(asked.get("q", "")).split():
        found = found.filter(broadcast__version__bulletin__folded__contains=word)
    related = ("unit", "broadcast__version")
    return found.select_related(*related).order_by("-year", "-number", "-pk")


def find_talk(uid: str, *, at: datetime) -> tuple[Broadcast, list[str]]:
    """Return a released bulletin and the lines of its talk. Raises AbsentError."""
    out = Broadcast.objects.filter(
        uid=uid, state=schedule_rules.APPROVED, approved_at__lte=at
    )
    broadcast = out.select_related("version", "unit").first()
    asked = broadcast.version.channels.filter(channel=kinds.TALK) if broadcast else None
    talk = asked.first() if asked is not None else None
    if broadcast is None or talk is None:
        raise AbsentError("channels.talk_absent")
    return broadcast, [line for line in talk.text.splitlines() if line.strip()]
