"""Measures the application in two of its homes: the home server, and the packaged application on a local cloud."""
