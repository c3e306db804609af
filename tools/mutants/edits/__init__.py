"""Edits of the rules that keep data and keep strangers out, each of which has to turn the tests red."""

from collections.abc import Sequence

from tools.mutants.edit import Edit
from tools.mutants.edits.authorization import AUTHORIZATION
from tools.mutants.edits.compaction import COMPACTION
from tools.mutants.edits.fold import FOLD
from tools.mutants.edits.idempotency import IDEMPOTENCY

EDITS: Sequence[Edit] = (*AUTHORIZATION, *FOLD, *COMPACTION, *IDEMPOTENCY)
