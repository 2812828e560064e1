"""Every change to a bulletin; nothing else in the project may save one."""

from nguon.newsroom.actions.approvals import (
    AlreadyApprovedError,
    ChangedError,
    NotSealedError,
    OwnBulletinError,
    check_sealed,
    record_approval,
    seal_version,
)
from nguon.newsroom.actions.channels import chosen_texts, save_channels
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
    save_draft,
)
from nguon.newsroom.actions.recordings import attach_recording
from nguon.newsroom.actions.renditions import (
    LeaseLostError,
    Sound,
    ask_rendition,
    claim_rendition,
    fail_rendition,
    finish_rendition,
    renew_lease,
    return_rendition,
)
from nguon.newsroom.actions.versions import freeze_version

__all__ = [
    "AlreadyApprovedError",
    "ChangedError",
    "DraftChangedError",
    "LeaseLostError",
    "NotSealedError",
    "OwnBulletinError",
    "Sound",
    "WrongRowsError",
    "ask_rendition",
    "attach_recording",
    "check_sealed",
    "choose_manner",
    "chosen_texts",
    "claim_rendition",
    "create_bulletin",
    "fail_rendition",
    "finish_rendition",
    "freeze_version",
    "import_words",
    "record_approval",
    "remove_word",
    "renew_lease",
    "return_rendition",
    "save_channels",
    "save_draft",
    "seal_version",
    "set_word",
]
