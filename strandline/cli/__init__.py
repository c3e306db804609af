"""The command line `strandline`. Its clients of servers need the standard library only; its commands on a data folder
use `strandline.home`."""
