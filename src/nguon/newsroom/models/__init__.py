"""The newsroom's tables, by domain; `from nguon.newsroom.models import Bulletin`."""

from nguon.newsroom.models.arrivals import Arrival, NewsFeed
from nguon.newsroom.models.attachments import Attachment, VersionAttachment
from nguon.newsroom.models.bulletins import (
    HASH_LENGTH,
    Bulletin,
    Editor,
    Involvement,
    Recording,
    Rendition,
    Seal,
    Version,
    VersionRendition,
    class_choices,
    field_choices,
    vietnamese,
)
from nguon.newsroom.models.channels import ChannelText, VersionChannel
from nguon.newsroom.models.desk import Comment, PayRate, Revision, Template
from nguon.newsroom.models.dictionary import DictionaryWord
from nguon.newsroom.models.intake import Intake, Upload
from nguon.newsroom.models.supply import Supplier
from nguon.newsroom.models.tracks import TrackTask

__all__ = [
    "HASH_LENGTH",
    "Arrival",
    "Attachment",
    "Bulletin",
    "ChannelText",
    "Comment",
    "DictionaryWord",
    "Editor",
    "Intake",
    "Involvement",
    "NewsFeed",
    "PayRate",
    "Recording",
    "Rendition",
    "Revision",
    "Seal",
    "Supplier",
    "Template",
    "TrackTask",
    "Upload",
    "Version",
    "VersionAttachment",
    "VersionChannel",
    "VersionRendition",
    "class_choices",
    "field_choices",
    "vietnamese",
]
