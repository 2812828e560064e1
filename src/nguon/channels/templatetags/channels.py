"""Why a text did not leave, in words."""

from django import template

from nguon.channels import rules

register = template.Library()


@register.filter
def delivery_cause(code: str) -> str:
    """Return the sentence of a cause."""
    return rules.CAUSES.get(code, code)
