"""Tests of nguon.simulator."""
