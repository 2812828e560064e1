"""The table of what a merge does is complete, and every key that moves has a mover."""

from django.apps import apps
from django.db import models

from nguon.reorganization import rules
from nguon.reorganization.kinds import MOVERS
from nguon.territory.models import Unit


def list_keys() -> set[str]:
    """Return every key to a unit that any room's model has."""
    found = set()
    for model in apps.get_models():
        fields = [
            field
            for field in (*model._meta.fields, *model._meta.many_to_many)
            if isinstance(field, models.ForeignKey | models.ManyToManyField)
            and field.related_model is Unit
        ]
        found |= {f"{model._meta.label}.{field.name}" for field in fields}
    return found


def test_every_key_to_a_unit_stands_once_in_the_table() -> None:
    listed = [key.label for key in rules.TABLE]

    assert len(listed) == len(set(listed))
    missing, gone = list_keys() - set(listed), set(listed) - list_keys()
    assert not missing, f"say in reorganization.rules.TABLE what becomes of {missing}"
    assert not gone, f"take out of reorganization.rules.TABLE: {gone}"


def test_what_moves_has_one_mover_and_nothing_else_has() -> None:
    moving = {key.model for key in rules.TABLE if key.act == rules.MOVES}

    assert sorted(mover.kind for mover in MOVERS) == sorted(moving)


def test_everything_that_stays_or_moves_says_why() -> None:
    assert all(key.name and key.why and key.act in rules.ACTS for key in rules.TABLE)
