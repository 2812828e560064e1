"""The library: what a draft was copied from, its last day, and the search index."""

import django.db.models.deletion
from django.db import migrations, models

TABLE = "newsroom_search"
CREATE = {
    "sqlite": (
        f"CREATE VIRTUAL TABLE {TABLE} USING fts5"
        "(title, body, marks, tokenize='unicode61', prefix='3')",
    ),
    "postgresql": (
        f"CREATE TABLE {TABLE} (id bigint PRIMARY KEY, words tsvector NOT NULL)",
        f"CREATE INDEX newsroom_search_words ON {TABLE} USING gin (words)",
    ),
}


def create(apps, schema_editor):
    """Make the index of this database."""
    for statement in CREATE[schema_editor.connection.vendor]:
        schema_editor.execute(statement, params=None)


def drop(apps, schema_editor):
    """Take it away again."""
    schema_editor.execute(f"DROP TABLE {TABLE}", params=None)


class Migration(migrations.Migration):
    """Adds two fields and the index."""

    dependencies = [("newsroom", "0003_speech")]

    operations = [
        migrations.AddField(
            model_name="bulletin",
            name="copied_from",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="copies",
                to="newsroom.bulletin",
            ),
        ),
        migrations.AddField(
            model_name="bulletin",
            name="expires_on",
            field=models.DateField(blank=True, null=True),
        ),
        migrations.RunPython(create, drop),
    ]
