"""Stages on AWS and on the local cloud: their stacks, their settings, their costs while nobody uses them."""
