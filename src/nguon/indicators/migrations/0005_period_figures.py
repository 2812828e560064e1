import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('territory', '0001_initial'),
        ('indicators', '0004_reported_figures'),
    ]

    operations = [
        migrations.CreateModel(
            name='PeriodFigure',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('first_date', models.DateField()),
                ('months', models.PositiveSmallIntegerField()),
                ('map_date', models.DateField()),
                ('indicator', models.CharField(max_length=40)),
                ('above', models.PositiveBigIntegerField()),
                ('below', models.PositiveBigIntegerField()),
                ('counted_at', models.DateTimeField()),
                ('unit', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='territory.unit')),
            ],
            options={
                'constraints': [
                    models.UniqueConstraint(fields=('first_date', 'months', 'map_date', 'indicator', 'unit'), name='period_figure_once'),
                    models.CheckConstraint(condition=models.Q(('months__in', [1, 3, 6, 12])), name='period_figure_whole'),
                ],
            },
        ),
    ]
