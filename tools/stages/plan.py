"""Shows the changes of a deployment and asks for confirmation."""

from tools.project import ToolError
from tools.stages.aws_account import confirmed, typed
from tools.stages.deployment import KEEPING
from tools.stages.stacks import Change, Plan, Replacement

NOTES = {Replacement.NO: "", Replacement.PERHAPS: "  (may be replaced)", Replacement.YES: "  (replaced)"}


def agree(plan: Plan, stage: str, *, yes: bool) -> bool:
    """Whether the user agrees to a plan. A plan that would lose data is always asked about.

    Raises:
        ToolError: there is no terminal to ask at.
    """
    for line in described(plan):
        print(line, flush=True)
    if not (lost := losses(plan)):
        return confirmed("Deploy this?", yes=yes)
    names = ", ".join(change.resource for change in lost)
    if yes:
        raise ToolError(
            f"stack {plan.stack} was left as it was: {names} would be lost, and YES=1 is not enough for that."
        )
    return typed(f"The stage would no longer find what is in {names}.", stage)


def described(plan: Plan) -> list[str]:
    """The plan as lines: changed parameters, then resources, and last the resources whose data would be lost."""
    lines = [f"stack {plan.stack}:"]
    for name, (before, after) in sorted(plan.parameters.items()):
        lines.append(
            f"  set     {name} = {after or '(empty)'}" + ("" if before is None else f"  (now {before or 'empty'})")
        )
    for change in plan.changes:
        note = NOTES[change.replacement]
        lines.append(f"  {change.action.lower():7} {change.kind:34} {change.resource}{note}")
    lines += [
        f"  !!! DATA LOSS: {change.resource} ({change.kind}) would be {_fate(change)} !!!" for change in losses(plan)
    ]
    return lines


def losses(plan: Plan) -> list[Change]:
    """The changes after which the stage would not find its current data."""
    return [
        change
        for change in plan.changes
        if change.kind in KEEPING and (change.action == "Remove" or change.replacement is not Replacement.NO)
    ]


def _fate(change: Change) -> str:
    if change.action == "Remove":
        return "taken out of the stage"
    return "replaced, empty" if change.replacement is Replacement.YES else "perhaps replaced, empty"
