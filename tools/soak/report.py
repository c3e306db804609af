"""The report of a run, as JSON and as Markdown; the pages of `docs` show the same tables."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.kept_figures import heading, keep_figures, provenance
from tools.project import BUILD
from tools.soak.memory import FLAT_PERCENT, Sample, at_rest_mb, memory_figures, quantile
from tools.soak.run import TELLING_LIFE_S, Soak

FOLDER = BUILD / "soak"
SHOWN_FINDINGS = 50

Report = dict[str, Any]


def report_of(run: Soak) -> Report:
    """All figures of a run, as JSON values."""
    findings = run.findings.all()
    return {
        "target": run.target.name,
        "seed": run.plan.seed,
        **provenance(),
        "is_whole": not run.was_interrupted and run.restart_error is None,
        "load": round(os.getloadavg()[0], 1),
        "minutes": round((run.ended_s - run.began_s) / 60, 1),
        "clients": run.plan.clients,
        "people": len(run.people),
        "requests": run.calls.total(),
        "asked_to_repeat": dict(run.calls.repeats),
        "restart": run.target.restart_name,
        "restarts": len(run.restarts_s),
        "compared": dict(sorted(run.verified.items())),
        "events_counted_as_lost": run.losses.count,
        "found": run.findings.counts(),
        "findings": [f"{finding.kind}: {finding.what}: {finding.detail}" for finding in findings],
        "latency_ms": {kind: _times(times_ms) for kind, times_ms in sorted(run.calls.times_ms.items())},
        "memory": [
            {
                "label": figure.label,
                "processes": figure.processes,
                "life_s": round(figure.life_s),
                "at_rest_mb": [round(quarter) for quarter in figure.at_rest_mb],
                "peak_mb": round(figure.peak_mb),
                "growth_percent": round(figure.growth_percent, 1),
                "stored_mb": [round(quarter, 1) for quarter in figure.stored_mb],
                "before_start_mb": _at_rest_mb(run.memory_before_start, figure.label),
                "after_start_mb": _at_rest_mb(run.memory_after_start, figure.label),
            }
            for figure in memory_figures(run.samples)
        ],
    }


def write_report(report: Report, folder: Path = FOLDER) -> Path:
    """Write the report as Markdown and JSON, and return the path of the first."""
    folder.mkdir(parents=True, exist_ok=True)
    name = "".join(letter if letter.isalnum() else "-" for letter in f"{report['target']}-{report['seed']}")
    path = folder / f"{report['date']}-{name}.md"
    path.with_suffix(".json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    findings = "".join(f"- {finding}\n" for finding in report["findings"][:SHOWN_FINDINGS])
    path.write_text(f"# Soak of {report['target']}\n\n{tables(report)}\n{findings}", encoding="utf-8")
    return path


def keep_report(report: Report) -> None:
    """Keep the figures, and show them on the page of the documents, in the block of the target."""
    kept = {name: value for name, value in report.items() if name != "findings"}
    keep_figures(f"soak-{report['target']}", tables(kept), kept)


def tables(report: Mapping[str, Any]) -> str:
    """The figures in Markdown: what was done, what was found, memory, and latency."""
    found = ", ".join(f"{count} {kind}" for kind, count in report["found"].items())
    restarts = f" Restarts: {report['restarts']} ({report['restart']})." if report["restart"] else ""
    asked = sum(report["asked_to_repeat"].values())
    compared = ", ".join(f"{count:,} {name}" for name, count in report["compared"].items())
    losses = report.get("events_counted_as_lost", 0)
    counted = f" The server counted {losses} events as lost; these may be missing." if losses else ""
    return "\n".join(
        [
            f"{heading(report)}, load {report['load']} at the end, seed {report['seed']}:",
            f"{report['minutes']} minutes, {report['clients']} clients as {report['people']} people, "
            f"{report['requests']:,} requests, of which {asked:,} were asked to repeat.{restarts}",
            "",
            f"Found: **{found}**. Compared at the end: {compared}.{counted}",
            "",
            *_memory_lines(report["memory"]),
            "",
            "| request | count | p50 in ms | p95 in ms | max in ms |",
            "| --- | ---: | ---: | ---: | ---: |",
            *(
                f"| {kind} | {times['count']:,} | {times['p50']} | {times['p95']} | {times['max']} |"
                for kind, times in report["latency_ms"].items()
            ),
            "",
        ]
    )


def _memory_lines(memory: list[dict[str, Any]]) -> list[str]:
    if not memory:
        return ["The memory was not measured: the server runs elsewhere, or too short."]
    lines = [
        "| memory of a process | at most | longest life | at rest in each quarter in MB | peak in MB | growth |",
        "| --- | ---: | ---: | --- | ---: | ---: |",
        *(
            f"| {figure['label']} | {figure['processes']} | {figure['life_s']} s | "
            f"{', '.join(map(str, figure['at_rest_mb']))} | {figure['peak_mb']} | "
            f"{figure['growth_percent']:+.1f} % ({_judgment(figure)}) |"
            for figure in memory
        ),
    ]
    stored_mb = next((figure["stored_mb"] for figure in memory if figure.get("stored_mb")), None)
    if stored_mb:
        lines += ["", f"What the server stored meanwhile took {', '.join(map(str, stored_mb))} MB on the disk."]
    for figure in memory:
        if figure.get("after_start_mb"):
            before_mb, after_mb = figure["before_start_mb"], figure["after_start_mb"]
            label = figure["label"]
            lines += [
                "",
                f"{label.capitalize()}: {before_mb} MB at the end, {after_mb} MB after a start on the same data.",
            ]
    return lines


def _judgment(figure: Mapping[str, Any]) -> str:
    """A judgment of memory: flat, growing, or growing by what a server takes that just started on the same data."""
    if figure["life_s"] < TELLING_LIFE_S:
        return "too short to tell"
    if figure["growth_percent"] <= FLAT_PERCENT:
        return "flat"
    before_mb, after_mb = figure.get("before_start_mb"), figure.get("after_start_mb")
    is_for_the_data = before_mb and after_mb and before_mb <= after_mb * (1 + FLAT_PERCENT / 100)
    return "grows with the data" if is_for_the_data else "grows"


def _at_rest_mb(samples: Sequence[Sample], label: str) -> int | None:
    """The memory at rest of the processes with the label; None if there was none."""
    found = [sample for sample in samples if sample.label == label]
    return round(at_rest_mb(found)) if found else None


def _times(times_ms: list[float]) -> dict[str, float]:
    in_order = sorted(times_ms)
    return {
        "count": len(in_order),
        "p50": round(quantile(in_order, 0.5), 1),
        "p95": round(quantile(in_order, 0.95), 1),
        "max": round(in_order[-1], 1),
    }
