"""Index the bulletins that were written before there was a search."""

from django.db import migrations

from nguon.newsroom import search


def fill(apps, schema_editor):
    """Index every bulletin that is there."""
    bulletins = apps.get_model("newsroom", "Bulletin").objects.order_by("pk")
    rows = bulletins.values_list("pk", "title", "body", "unit__path", "field", "klass")
    search.index_rows(rows.iterator(chunk_size=1_000))


class Migration(migrations.Migration):
    """Fills the search index."""

    dependencies = [("newsroom", "0004_search"), ("territory", "__first__")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
