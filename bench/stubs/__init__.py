"""Stubs of AWS that reply at once and count what the application asks of them."""
