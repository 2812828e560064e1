"""Every change to a bulletin; nothing else in the project may save one."""

from nguon.newsroom.actions.approvals import (
    AlreadyApprovedError,
    ChangedError,
    NotSealedError,
    OwnBulletinError,
    check_sealed,
    record_approval,
    record_check,
    seal_version,
)
from nguon.newsroom.actions.arrivals import (
    offer_text,
    receive_text,
    remind_arrivals,
    set_aside,
    take_arrival,
    tidy_arrivals,
)
from nguon.newsroom.actions.attachments import (
    add_attachment,
    describe_attachment,
    make_next_video,
    remove_attachment,
)
from nguon.newsroom.actions.channels import chosen_texts, save_channels
from nguon.newsroom.actions.comments import add_comment
from nguon.newsroom.actions.desk import add_template, end_template, set_rate
from nguon.newsroom.actions.dictionary import (
    WrongRowsError,
    import_words,
    remove_word,
    set_word,
)
from nguon.newsroom.actions.drafts import (
    DraftChangedError,
    choose_manner,
    create_bulletin,
    draft_of,
    reuse_bulletin,
    save_draft,
)
from nguon.newsroom.actions.feeds import (
    add_feed,
    ask_feed_now,
    end_feed,
    fetch_feeds,
    switch_feed,
)
from nguon.newsroom.actions.intake import take_file, take_text
from nguon.newsroom.actions.moving import (
    copy_suppliers,
    copy_words,
    end_copies,
    remove_copies,
)
from nguon.newsroom.actions.recordings import attach_recording
from nguon.newsroom.actions.renditions import (
    LeaseLostError,
    Sound,
    ask_rendition,
    claim_rendition,
    compact_next,
    fail_rendition,
    finish_rendition,
    renew_lease,
    return_rendition,
)
from nguon.newsroom.actions.supply import add_suppliers, end_supplier
from nguon.newsroom.actions.tracks import (
    ask_track,
    drop_track,
    record_track,
    save_track_text,
    tell_late_tracks,
)
from nguon.newsroom.actions.uploads import (
    OffsetError,
    UploadError,
    access_upload,
    append_upload,
    begin_upload,
    check_size,
    forget_uploads,
    take_upload,
)
from nguon.newsroom.actions.versions import freeze_version

__all__ = [
    "AlreadyApprovedError",
    "ChangedError",
    "DraftChangedError",
    "LeaseLostError",
    "NotSealedError",
    "OffsetError",
    "OwnBulletinError",
    "Sound",
    "UploadError",
    "WrongRowsError",
    "access_upload",
    "add_attachment",
    "add_comment",
    "add_feed",
    "add_suppliers",
    "add_template",
    "append_upload",
    "ask_feed_now",
    "ask_rendition",
    "ask_track",
    "attach_recording",
    "begin_upload",
    "check_sealed",
    "check_size",
    "choose_manner",
    "chosen_texts",
    "claim_rendition",
    "compact_next",
    "copy_suppliers",
    "copy_words",
    "create_bulletin",
    "describe_attachment",
    "draft_of",
    "drop_track",
    "end_copies",
    "end_feed",
    "end_supplier",
    "end_template",
    "fail_rendition",
    "fetch_feeds",
    "finish_rendition",
    "forget_uploads",
    "freeze_version",
    "import_words",
    "make_next_video",
    "offer_text",
    "receive_text",
    "record_approval",
    "record_check",
    "record_track",
    "remind_arrivals",
    "remove_attachment",
    "remove_copies",
    "remove_word",
    "renew_lease",
    "return_rendition",
    "reuse_bulletin",
    "save_channels",
    "save_draft",
    "save_track_text",
    "seal_version",
    "set_aside",
    "set_rate",
    "set_word",
    "switch_feed",
    "take_arrival",
    "take_file",
    "take_text",
    "take_upload",
    "tell_late_tracks",
    "tidy_arrivals",
]
