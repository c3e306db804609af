"""The figures of a run, for the terminal and for the page of the documents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tools.kept_figures import heading, keep_figures, provenance
from tools.power_loss.states import Outcome


@dataclass(frozen=True, slots=True)
class PowerLossFigures:
    """The figures of a run."""

    seed: int
    recorded: Mapping[str, int]
    """Number of recorded calls by name, and of the bytes that they wrote."""
    tried: Sequence[Outcome]
    seconds: float

    @property
    def faulty(self) -> int:
        """Number of states with a fault."""
        return sum(bool(outcome.faults) for outcome in self.tried)

    @property
    def answers(self) -> int:
        """Number of answers that were compared, over all states."""
        return sum(outcome.answered for outcome in self.tried)

    @property
    def rows(self) -> Mapping[str, str]:
        """The figures in words, by name."""
        unsynced = sum(outcome.unsynced_bytes > 0 for outcome in self.tried)
        return {
            "recorded": ", ".join(f"{count:,} {name}" for name, count in self.recorded.items()),
            "states": f"{len(self.tried)}, of which {unsynced} with writes that were not synced",
            "time to open them": f"{self.seconds:.0f} s",
            "answers compared": f"{self.answers:,}",
            "refused with one sentence, before anything was answered": str(
                sum(outcome.is_refused for outcome in self.tried)
            ),
            "states with a fault": str(self.faulty),
        }

    def keep(self) -> None:
        """Keep the figures, and show them on the page of the documents."""
        made = provenance()
        table = ["| | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in self.rows.items())]
        numbers = {"states": len(self.tried), "answers_compared": self.answers, "faulty": self.faulty}
        text = "\n".join([f"{heading(made)}, seed {self.seed}:", "", *table])
        keep_figures("power-loss", text, made | {"seed": self.seed} | numbers | {"recorded": dict(self.recorded)})
