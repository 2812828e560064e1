"""Choosing by which channels a bulletin also goes, and what it says there."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from nguon.audit import actions as audit
from nguon.newsroom import channels
from nguon.newsroom.access import access_draft
from nguon.newsroom.models import (
    Bulletin,
    ChannelText,
    Editor,
    Version,
    VersionChannel,
)
from nguon.people.models import Officer


@transaction.atomic
def save_channels(
    *, bulletin_id: int, texts: Mapping[str, str], by: Officer, at: datetime
) -> Bulletin:
    """Keep exactly these channels, each with its text; who chose counts as a writer.

    Raises InvalidError (`channels.check_texts`), AbsentError, NoRightError.
    """
    access_draft(bulletin_id=bulletin_id, officer=by, at=at)
    bulletin = Bulletin.objects.select_for_update().get(pk=bulletin_id)
    kept = {code: text.replace("\r\n", "\n").strip() for code, text in texts.items()}
    channels.check_texts(kept)
    ChannelText.objects.filter(bulletin=bulletin).delete()
    ChannelText.objects.bulk_create(
        ChannelText(bulletin=bulletin, channel=code, text=kept[code])
        for code in channels.CHOSEN
        if code in kept
    )
    Editor.objects.get_or_create(
        bulletin=bulletin, person=by, defaults={"first_at": at}
    )
    audit.record(
        "newsroom.channels.saved",
        target=bulletin,
        by=by,
        at=at,
        data={"channels": sorted(kept)},
    )
    return bulletin


def chosen_texts(bulletin: Bulletin) -> dict[str, str]:
    """Return what the draft says by each chosen channel, in the form's order."""
    found = dict(bulletin.channel_texts.values_list("channel", "text"))
    return {code: found[code] for code in channels.CHOSEN if code in found}


def freeze_channels(version: Version, texts: Mapping[str, str]) -> None:
    """Write what a version says by its channels; for `freeze_version` alone."""
    VersionChannel.objects.bulk_create(
        VersionChannel(version=version, channel=code, text=text)
        for code, text in texts.items()
    )
