"""`make_keys`: the province's root and working keys, once; or new working keys.

Also the key with which this server pushes to phones: made once, by an update too, and
never renewed, for every phone that switched it on is bound to it.
"""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from nguon.core import signing
from nguon.fleet import keys
from nguon.providers import push


class Command(BaseCommand):
    """Make the keys where there are none; say the root's fingerprint."""

    help = "Make the root key, the working keys and the signed key set, once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take --renew."""
        parser.add_argument(
            "--renew",
            action="store_true",
            help="make new working keys; needs root.jwk; older keys stay valid",
        )

    def handle(self, *, renew: bool, **_options: Any) -> None:
        """Make or renew."""
        at = timezone.now()
        made = keys.make(at=at)
        push.make_key(settings.KEYS_DIR)
        if renew and not made:
            try:
                keys.renew(at=at)
            except FileNotFoundError as error:
                raise CommandError(
                    f"{error.filename} is not here: bring it from its safe, run this"
                    " again, take it away. (Thiếu tệp này: đem từ nơi cất về rồi chạy"
                    " lại.)"
                ) from error
        mark = signing.fingerprint(keys.ring().root)
        word = "made" if made else "renewed" if renew else "kept"
        self.stdout.write(f"Keys {word} in {settings.KEYS_DIR}; root {mark}")
