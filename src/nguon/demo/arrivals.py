"""What has come in to the demo's home commune by itself, and waits to be looked at.

A feed read from a file of ours and then off, so that the demo asks no foreign host;
and two proposals by the form, as a health station and the power company would send.
"""

import json
from datetime import datetime, timedelta

from django.utils import timezone

from nguon.demo.places import DATA, HOME, PROVINCE_CODE
from nguon.newsroom import actions as newsroom
from nguon.newsroom.intake import feeds
from nguon.newsroom.intake.fetching import Asked, Fetched
from nguon.newsroom.models import Arrival, Supplier
from nguon.people.models import Officer
from nguon.territory.models import COMMUNE, PROVINCE
from nguon.territory.queries import get_unit

SUPPLIER = "Sở Nông nghiệp và Môi trường"
FEED = "https://nongnghiep.gialai.example/tin.rss"
# Which of the demo's texts somebody proposes, and who: place in the file, house, name.
PROPOSED = (
    (2, "Trạm Y tế xã Ia Grai", "Siu H'Lan (ví dụ)", "0269 3555 012"),
    (3, "Điện lực Ia Grai", "Trần Văn Bình (ví dụ)", "0269 3555 099"),
)


def load_arrivals(*, at: datetime) -> int:
    """Bring a feed's texts and two proposals; repeatable. Return how many there are."""
    if Arrival.objects.exists():
        return Arrival.objects.count()
    day = timezone.localdate(at)
    home = get_unit(HOME, kind=COMMUNE, day=day)
    lan = Officer.objects.get(username="lan")
    province = get_unit(PROVINCE_CODE, kind=PROVINCE, day=day)
    admin = Officer.objects.get(username="admin")
    # One that stands on the list already is not doubled.
    newsroom.add_suppliers(unit=province, names=[SUPPLIER, "Sở Y tế"], by=admin, at=at)
    supplier = Supplier.objects.get(unit=province, name=SUPPLIER, ended_at=None)
    feed = newsroom.add_feed(
        unit=home,
        name="Tin Sở Nông nghiệp và Môi trường (ví dụ)",
        url=FEED,
        field=5,
        supplier=supplier.pk,
        by=lan,
        at=at,
    )
    newsroom.fetch_feeds(at=at, fetch=_read)
    newsroom.switch_feed(key=feed.pk, is_on=False, by=lan, at=at)
    texts = json.loads((DATA / "bulletins-vi.json").read_text(encoding="utf-8"))
    for place, house, name, phone in PROPOSED:
        newsroom.offer_text(
            unit=home,
            sender=name,
            phone=phone,
            organisation=house,
            title=texts[place]["title"],
            text=texts[place]["body"],
            field=texts[place]["field"],
            wished_on=day + timedelta(days=1),
            at=at,
        )
    return Arrival.objects.count()


def _read(_asked: Asked) -> Fetched:
    return Fetched(feeds.parse((DATA / "nguon-tin.xml").read_bytes()))
