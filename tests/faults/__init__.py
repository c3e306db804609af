"""Faults, interleavings and clocks: every use case while calls of the engine fail, meet others, or come late."""
