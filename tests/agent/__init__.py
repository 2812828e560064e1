"""Tests of nguon.agent."""
