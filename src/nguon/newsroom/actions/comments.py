"""Remarks on a bulletin: said once, never changed."""

from datetime import datetime

from django.db import transaction

from nguon.audit import actions as audit
from nguon.newsroom import rules
from nguon.newsroom.access import access_bulletin
from nguon.newsroom.intake.proposal import clean
from nguon.newsroom.models import Comment
from nguon.people import actions as people
from nguon.people.models import Officer


@transaction.atomic
def add_comment(*, uid: str, text: str, by: Officer, at: datetime) -> Comment:
    """Leave a remark beside a bulletin; to remark is not to edit.

    Raises DraftError (`newsroom.comment_empty`, `newsroom.comment_too_long`),
    AbsentError for a bulletin of foreign ground.
    """
    bulletin = access_bulletin(uid=uid, officer=by, at=at)
    said = clean(text)
    if not said:
        raise rules.DraftError("newsroom.comment_empty")
    if len(said) > rules.COMMENT_LIMIT:
        raise rules.DraftError("newsroom.comment_too_long", limit=rules.COMMENT_LIMIT)
    comment = Comment.objects.create(bulletin=bulletin, text=said, by=by, at=at)
    people.notify(
        officers=Officer.objects.filter(
            pk__in=bulletin.editors.exclude(person=by).values("person")
        ),
        subject=f"Góp ý: {bulletin.shown_title}",
        body=f"{by.full_name}: {said}",
        url=f"/ban-tin/{bulletin.uid}/lich-su/",
        at=at,
    )
    audit.record("newsroom.comment.added", target=bulletin, by=by, at=at)
    return comment
