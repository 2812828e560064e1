"""Tags of pages with figures."""
