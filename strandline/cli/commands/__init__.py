"""The commands, a module for each with its arguments and what it prints, and the modules that only commands need.

What a command needs beside the standard library is imported when it runs, so that `strandline --help` is quick and
works wherever Python does.
"""
