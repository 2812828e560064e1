from django.db import migrations

from nguon.territory.names import order_key

PIECE = 1_000


def fill(apps, schema_editor):
    """Write how the names that are there sort."""
    devices = apps.get_model("fleet", "Device").objects.order_by("pk")
    last = 0
    while rows := list(devices.filter(pk__gt=last).only("pk", "name")[:PIECE]):
        for row in rows:
            row.name_order = order_key(row.name)[:240]
        devices.bulk_update(rows, ["name_order"])
        last = rows[-1].pk


class Migration(migrations.Migration):
    """Devices that are there are listed in the order in which people count."""

    dependencies = [("fleet", "0013_name_order")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
