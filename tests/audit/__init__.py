"""Tests of nguon.audit."""
