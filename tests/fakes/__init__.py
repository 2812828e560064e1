"""Working stand-ins: small, real implementations used by tests."""
