"""A shorter history that still shows a finding: steps are left out while it does."""

import copy
import time

from oracle import Finding


def shrink(history, kind, run, seconds=90.0, tries=2):
    """The shortest history met in `seconds` for which `run(history)` raises a Finding of `kind`.

    Levels of nodes are drawn by the server, so a run may differ: a history counts as failing when
    one of `tries` runs does."""
    end = time.monotonic() + seconds

    def fails(candidate):
        for _ in range(tries):
            if time.monotonic() > end:
                return False
            try:
                run(candidate)
            except Finding as finding:
                if finding.kind == kind:
                    return True
        return False

    best = _without_steps(history, fails, end)
    best = _without_inner_steps(best, fails, end)
    return _with_fewer_rows(best, fails, end)


def _without_steps(history, fails, end):
    steps = history["steps"]
    size = max(1, len(steps) // 2)
    while time.monotonic() < end:
        position = 0
        while position < len(steps) and time.monotonic() < end:
            shorter = steps[:position] + steps[position + size:]
            if shorter and fails({**history, "steps": shorter}):
                steps = shorter
            else:
                position += size
        if size == 1:
            break
        size //= 2
    return {**history, "steps": steps}


def _without_inner_steps(history, fails, end):
    for number in range(len(history["steps"])):
        position = 0
        while time.monotonic() < end:
            inner = history["steps"][number].get("steps", [])
            if position >= len(inner):
                break
            shorter = copy.deepcopy(history)
            del shorter["steps"][number]["steps"][position]
            if fails(shorter):
                history = shorter
            else:
                position += 1
    return history


def _with_fewer_rows(history, fails, end):
    for number, step in enumerate(history["steps"]):
        while step.get("n", 0) > 10 and step["op"] == "insert" and time.monotonic() < end:
            shorter = copy.deepcopy(history)
            step = shorter["steps"][number]
            step["n"] //= 2
            if not fails(shorter):
                break
            history = shorter
    return history
