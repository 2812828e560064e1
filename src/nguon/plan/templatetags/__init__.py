"""Words of plans in templates."""
