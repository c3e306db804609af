"""Mutants: wrong versions of rules, each of which has to turn the tests red."""
