"""Tests that this version reads what earlier ones wrote."""
