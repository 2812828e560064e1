from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('fleet', '0011_events_unbound'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='beatday',
            index=models.Index(fields=['day'], name='beat_day_by_day'),
        ),
    ]
