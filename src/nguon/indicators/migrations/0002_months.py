import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('indicators', '0001_day_facts'),
        ('territory', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='FactMonth',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month', models.DateField(unique=True)),
                ('made_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='MonthFact',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month', models.DateField()),
                ('measure', models.CharField(max_length=20)),
                ('part', models.CharField(blank=True, max_length=40)),
                ('number', models.PositiveBigIntegerField()),
                ('place', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='territory.unit')),
                ('unit', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='territory.unit')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('month', 'measure', 'unit', 'part'), name='month_fact_once'), models.CheckConstraint(condition=models.Q(('number__gt', 0)), name='month_fact_says_something')],
            },
        ),
        migrations.RemoveConstraint(
            model_name='dayfact',
            name='day_fact_measure_known',
        ),
        migrations.AddConstraint(
            model_name='dayfact',
            constraint=models.CheckConstraint(condition=models.Q(('measure__in', ['played_ms', 'planned_ms', 'sounded', 'in_use', 'audible', 'village_audible', 'board_lit', 'bulletins', 'supplied', 'page_news', 'repairs', 'repair_s', 'alert_due', 'alert_sounded', 'alert_ms'])), name='day_fact_measure_known'),
        ),
        migrations.RemoveIndex(
            model_name='dayfact',
            name='day_fact_by_place',
        ),
    ]
