"""Tags of pages with reports."""
