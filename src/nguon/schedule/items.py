"""From a released broadcast to the items that devices are given."""

from datetime import UTC, datetime

from django.db.models import prefetch_related_objects

from nguon.core.messages import Audience, Item, Picture, Rendition
from nguon.core.signing import content_hash
from nguon.newsroom.models import Version
from nguon.newsroom.rules import PICTURE
from nguon.schedule import rules
from nguon.schedule.models import Airing, Broadcast


def milliseconds(moment: datetime) -> int:
    """Return a moment as it stands on the wire."""
    return round(moment.timestamp() * 1000)


def moment(ms: int) -> datetime:
    """Return a moment of the wire, in UTC."""
    return datetime.fromtimestamp(ms / 1000, tz=UTC)


def item_id(broadcast: Broadcast, starts_at: datetime) -> str:
    """Return the name of one start of a broadcast, the same whenever it is asked."""
    return f"{broadcast.uid}.{milliseconds(starts_at)}"


def list_renditions(version: Version) -> tuple[Rendition, ...]:
    """Return a version's sounds as devices fetch them, in the order of its languages.

    They are read once per version object: a version never changes its sounds.
    """
    prefetch_related_objects([version], "sounds__rendition__media")
    found = {sound.language: sound.rendition for sound in version.sounds.all()}
    ready = [(language, found[language]) for language in version.languages]
    return tuple(
        Rendition(
            language=language,
            sha256=sound.media.sha256,
            size=sound.media.size,
            duration_ms=sound.duration_ms,
            mime=sound.media.mime,
        )
        for language, sound in ready
        if sound.media is not None
    )


def list_pictures(version: Version) -> tuple[Picture, ...]:
    """Return a version's pictures as boards fetch them; read once, as its sounds."""
    prefetch_related_objects([version], "attachments__media")
    return tuple(
        Picture(one.media.sha256, one.media.size, one.caption)
        for one in version.attachments.all()
        if one.kind == PICTURE
    )


def longest_ms(renditions: tuple[Rendition, ...]) -> int:
    """Return the length of the longest language, in ms."""
    return max((sound.duration_ms for sound in renditions), default=0)


def hash_of(broadcast: Broadcast) -> str:
    """Return the one hash an approval is about: content, sound, timing, audience."""
    version = broadcast.version
    when = broadcast.when
    return content_hash(
        {
            "content": version.content_sha256,
            "class": version.klass,
            "drill": version.drill,
            "sounds": {
                sound.language: sound.sha256 for sound in list_renditions(version)
            },
            "timing": {
                "kind": when.kind,
                "starts_at": when.starts_at.isoformat() if when.starts_at else None,
                "time_of_day": str(when.time_of_day) if when.time_of_day else None,
                "first_date": str(when.first_date) if when.first_date else None,
                "last_date": str(when.last_date) if when.last_date else None,
                "expires_at": when.expires_at.isoformat() if when.expires_at else None,
            },
            "units": sorted(unit.uid for unit in broadcast.units.all()),
            "devices": sorted(device.uid for device in broadcast.devices.all()),
            "audience": sorted(
                broadcast.audience.values_list("device__uid", flat=True)
            ),
            # Without groups the hash is what it was before there were any.
            **({"groups": groups} if (groups := _groups_of(broadcast)) else {}),
        }
    )


def _groups_of(broadcast: Broadcast) -> dict[str, dict[str, object]]:
    return {
        one.group.uid: {"name": one.name, "devices": one.devices}
        for one in broadcast.groups.select_related("group").order_by("group__uid")
    }


class ItemMaker:
    """Makes the items of one broadcast; what they share is read once."""

    def __init__(self, broadcast: Broadcast) -> None:
        self.broadcast = broadcast
        self.version = broadcast.version
        self.renditions = list_renditions(broadcast.version)
        self.pictures = list_pictures(broadcast.version)
        self.audience = Audience(
            units=tuple(sorted(unit.uid for unit in broadcast.units.all())),
            devices=tuple(sorted(device.uid for device in broadcast.devices.all())),
        )

    def airing(self, starts_at: datetime) -> Airing:
        """Return the (unsaved) airing of one start."""
        ends_at = self.broadcast.expires_at
        if self.version.klass != "emergency" or ends_at is None:
            length = rules.length_of(longest_ms(self.renditions))
            ends_at = starts_at + length + rules.GRACE
        return Airing(
            item=item_id(self.broadcast, starts_at),
            broadcast=self.broadcast,
            starts_at=starts_at,
            ends_at=ends_at,
        )

    def item(self, airing: Airing) -> Item:
        """Return what devices are told of one airing."""
        rank, start = rules.rank_and_start(
            klass=self.version.klass, timing=self.broadcast.timing
        )
        is_emergency = self.version.klass == "emergency"
        shown = airing.ends_at if is_emergency else airing.starts_at + rules.SHOWN_FOR
        return Item(
            id=airing.item,
            broadcast=self.broadcast.uid,
            bulletin=self.version.bulletin.uid,
            title=self.version.shown_title,
            text=self.version.shown_text,
            rank=rank,
            drill=self.version.drill,
            starts_at=milliseconds(airing.starts_at),
            ends_at=milliseconds(airing.ends_at),
            shown_until=milliseconds(shown),
            start=start,
            wait_ms=rules.PRIORITY_WAIT_MS if start == "wait" else 0,
            after="resume",
            level=self.broadcast.unit.level,
            approved_at=milliseconds(self.broadcast.approved_at or airing.starts_at),
            content_sha256=self.broadcast.sha256,
            audience=self.audience,
            renditions=self.renditions,
            pictures=self.pictures,
        )
