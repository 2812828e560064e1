"""`nats_config`: write the configuration file of the NATS server."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from nguon.gateway import nats_config


class Command(BaseCommand):
    """Write the file and say how to start the server with it."""

    help = "Write the NATS server's configuration from the keys in KEYS_DIR."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take where to listen and where to write."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=4222)
        parser.add_argument("--mqtt-host", default="127.0.0.1")
        parser.add_argument("--mqtt-port", type=int, default=1883)
        parser.add_argument("--server-name", default="nguon")
        parser.add_argument("--tls-cert", type=Path)
        parser.add_argument("--tls-key", type=Path)
        parser.add_argument("--out", type=Path, default=None)

    def handle(self, **options: Any) -> None:
        """Write the file. Raises CommandError for an open door without TLS."""
        tls = None
        if options["tls_cert"] and options["tls_key"]:
            tls = (options["tls_cert"].resolve(), options["tls_key"].resolve())
        if tls is None and options["mqtt_host"] not in {
            "127.0.0.1",
            "localhost",
            "::1",
        }:
            raise CommandError(
                "MQTT outside loopback needs TLS: give --tls-cert and --tls-key."
            )
        store = settings.DATA_DIR / "nats"
        store.mkdir(parents=True, exist_ok=True)
        text = nats_config.render(
            seeds=nats_config.load_seeds(settings.KEYS_DIR),
            store=store,
            host=options["host"],
            port=options["port"],
            mqtt_host=options["mqtt_host"],
            mqtt_port=options["mqtt_port"],
            server_name=options["server_name"],
            tls=tls,
        )
        out = options["out"] or settings.DATA_DIR / "nats.conf"
        out.write_text(text, encoding="utf-8")
        self.stdout.write(f"{nats_config.find_server()} -c {out}")
