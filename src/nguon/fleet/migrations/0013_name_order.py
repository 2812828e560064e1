from django.db import migrations

import nguon.fleet.models.devices


class Migration(migrations.Migration):
    """Devices are listed in the order in which people count."""

    dependencies = [("fleet", "0012_days")]

    operations = [
        migrations.AddField(
            model_name="device",
            name="name_order",
            field=nguon.fleet.models.devices.NameOrderField(
                default="", editable=False, max_length=240
            ),
        ),
    ]
