"""The commands, one a module: its arguments, and its words for what was done.

What a command needs beside the standard library is imported when it runs, so that `strandline --help` is quick and
works wherever Python does.
"""
