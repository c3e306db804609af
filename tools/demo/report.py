"""The report at the end of the demo: a table of the records, statistics of glucose, and a plot of one day."""

from collections.abc import Sequence
from datetime import datetime, tzinfo

from tools.demo.comparison import MG_DL_PER_MMOL_L
from tools.demo.generator import Record

TARGET_LOW_MG_DL, TARGET_HIGH_MG_DL = 70, 180
PLOT_COLUMNS, PLOT_ROWS = 72, 14
DOTS_WIDE, DOTS_HIGH = 2, 4
DOT_BITS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""The bits of a Braille character (U+2800 on) by column and row of its dots."""
MINUTES_PER_DAY = 24 * 60


def table(records: Sequence[Record], zone: tzinfo) -> list[str]:
    """Lines with the number of records of each type and the times of the first and the last."""
    times: dict[str, list[datetime]] = {}
    for record in records:
        times.setdefault(record["type"], []).append(_local(record, zone))
    lines = [f"{'type':<14}{'records':>8}   {'first':<18}{'last':<18}"]
    for type_, moments in sorted(times.items()):
        first, last = (f"{moment:%Y-%m-%d %H:%M}" for moment in (min(moments), max(moments)))
        lines.append(f"{type_:<14}{len(moments):>8}   {first:<18}{last:<18}")
    return [*lines, f"{'all':<14}{len(records):>8}"]


def glucose_summary(records: Sequence[Record]) -> list[str]:
    """Lines with the mean of the CGM readings in both units, and the share of them in, below and above the range."""
    values = [record["value"] * MG_DL_PER_MMOL_L for record in records if record["type"] == "cbg"]
    if not values:
        return ["no CGM readings"]
    mean = sum(values) / len(values)
    # A reading sent as 70 comes back as 3.88552 mmol/L, a hair under 70 mg/dL: it counts as the value that was sent.
    below = sum(round(value) < TARGET_LOW_MG_DL for value in values) / len(values)
    above = sum(round(value) > TARGET_HIGH_MG_DL for value in values) / len(values)
    return [
        f"mean glucose   {mean:.0f} mg/dL ({mean / MG_DL_PER_MMOL_L:.1f} mmol/L)",
        f"time in range  {1 - below - above:.0%} ({TARGET_LOW_MG_DL}-{TARGET_HIGH_MG_DL} mg/dL), "
        f"{below:.0%} below, {above:.0%} above",
    ]


def plot(readings: Sequence[tuple[int, float]]) -> list[str]:
    """Lines that draw one day's glucose: pairs of minute of the day and mg/dL, in Braille dots, 77 columns wide.

    Dotted lines mark the range; values outside the plot are drawn at its edge.
    """
    highest = max([250.0, *(value for _, value in readings)])
    lowest = 40.0
    columns, rows = PLOT_COLUMNS * DOTS_WIDE, PLOT_ROWS * DOTS_HIGH

    def dot_row(value: float) -> int:
        share = (min(highest, max(lowest, value)) - lowest) / (highest - lowest)
        return round((1 - share) * (rows - 1))

    cells = [[0] * PLOT_COLUMNS for _ in range(PLOT_ROWS)]
    for minute, value in readings:
        column, row = minute * columns // MINUTES_PER_DAY, dot_row(value)
        cells[row // DOTS_HIGH][column // DOTS_WIDE] |= DOT_BITS[column % DOTS_WIDE][row % DOTS_HIGH]
    labels = {dot_row(value) // DOTS_HIGH: value for value in (lowest, TARGET_LOW_MG_DL, TARGET_HIGH_MG_DL, highest)}
    limits = {dot_row(value) // DOTS_HIGH for value in (TARGET_LOW_MG_DL, TARGET_HIGH_MG_DL)}
    lines = []
    for row, bits in enumerate(cells):
        label = f"{labels[row]:>3.0f} ┤" if row in labels else "    │"
        blank = "┈" if row in limits else " "
        lines.append(label + "".join(chr(0x2800 + cell) if cell else blank for cell in bits))
    hours = "".join(f"{hour:02}:00".ljust(PLOT_COLUMNS // 6) for hour in range(0, 24, 4))
    return [*lines, "    └" + "─" * PLOT_COLUMNS, "     " + hours.rstrip()]


def fullest_day(records: Sequence[Record], zone: tzinfo) -> tuple[str, list[tuple[int, float]]]:
    """The last of the days with the most CGM readings, as `YYYY-MM-DD`, and its readings for `plot`."""
    days: dict[str, list[tuple[int, float]]] = {}
    for record in records:
        if record["type"] == "cbg":
            local = _local(record, zone)
            reading = (local.hour * 60 + local.minute, record["value"] * MG_DL_PER_MMOL_L)
            days.setdefault(f"{local:%Y-%m-%d}", []).append(reading)
    day = max(days, key=lambda name: (len(days[name]), name))
    return day, sorted(days[day])


def _local(record: Record, zone: tzinfo) -> datetime:
    return datetime.fromisoformat(record["time"]).astimezone(zone)
