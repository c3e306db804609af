"""Releases: the version in the sources, the changelog, and the artifacts of a version."""
