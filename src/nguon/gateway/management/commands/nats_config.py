"""`nats_config`: write the configuration file of the NATS server."""

from argparse import ArgumentParser
from collections.abc import Mapping
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
        parser.add_argument(
            "--leaf-listen", default="", help="hub: host:port at which leaves connect"
        )
        parser.add_argument(
            "--leaf", default="", help="write the configuration of this leaf node"
        )
        parser.add_argument("--hub", default="", help="leaf: host:port of the hub")
        parser.add_argument(
            "--store", type=Path, default=None, help="JetStream's folder"
        )
        parser.add_argument("--cluster-listen", default="", help="cluster: host:port")
        parser.add_argument(
            "--route", action="append", default=[], help="cluster: another's host:port"
        )

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
        name = f"nats-{options['leaf']}" if options["leaf"] else "nats"
        store = (options["store"] or settings.DATA_DIR / name).resolve()
        store.mkdir(parents=True, exist_ok=True)
        places = {
            "store": store,
            "tls": tls,
            **{key: options[key] for key in ("host", "port", "mqtt_host", "mqtt_port")},
        }
        text = _leaf(options, places) if options["leaf"] else _server(options, places)
        out = options["out"] or settings.DATA_DIR / f"{name}.conf"
        out.touch(mode=0o600)
        out.write_text(text, encoding="utf-8")
        self.stdout.write(f"{nats_config.find_server()} -c {out}")


def _server(options: Mapping[str, Any], places: Mapping[str, Any]) -> str:
    """Return the configuration of a server alone, of a hub, or of one of three."""
    folder = settings.KEYS_DIR
    leaves = settings.LEAVES if options["leaf_listen"] else ()
    return nats_config.render(
        seeds=nats_config.load_seeds(folder),
        server_name=options["server_name"],
        leaves=[nats_config.load_leaf_seeds(folder, leaf) for leaf in leaves],
        leaf_address=options["leaf_listen"],
        cluster=options["cluster_listen"],
        routes=options["route"],
        **places,
    )


def _leaf(options: Mapping[str, Any], places: Mapping[str, Any]) -> str:
    """Return the configuration of a leaf. Raises CommandError for an unknown one."""
    leaf = options["leaf"]
    if leaf not in settings.LEAVES or not options["hub"]:
        raise CommandError("Name a leaf of NGUON_LEAVES, and its --hub host:port.")
    return nats_config.render_leaf(
        name=leaf,
        seeds=nats_config.load_leaf_seeds(settings.KEYS_DIR, leaf),
        hub=options["hub"],
        **places,
    )
