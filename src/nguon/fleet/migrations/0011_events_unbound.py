"""Events have no foreign key to their device any more (decision 0006)."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('fleet', '0010_groups'),
    ]

    operations = [
        migrations.AlterField(
            model_name='deviceevent',
            name='device',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='fleet.device'),
        ),
    ]
