"""Tests of nguon.people."""
