"""The three ways to run the machine: long, short as a test suite, and a history again."""

import argparse
import json
import os
import random
import re
import time

import crowds
import damage
import dangers
import histories
import oracle
import writer
from client import ServerError
from figures import Figures
from oracle import Finding
from servers import Cluster
from shrink import shrink

# Histories that the tests run each time.
_SHORT_SEEDS = (1, 2, 3, 4, 5, 6)


class Machine:
    def __init__(self, folder, pg_bin):
        self.folder = folder
        self.findings_folder = os.path.join(folder, "findings")
        os.makedirs(self.findings_folder, exist_ok=True)
        self.figures = Figures()
        self.n_findings = 0
        self.primary = Cluster(os.path.join(folder, "primary"), pg_bin)
        self.standby = None
        self.seconds = 0.0

    def start(self):
        self.primary.init("wal_consistency_checking = 'Generic'")
        self.primary.start()

    def close(self):
        if self.standby:
            self.standby.remove()
        self.primary.remove()

    # --- what is run ---

    def danger(self, danger):
        return self._guarded(danger.__name__, lambda: dangers.run_danger(
            danger, self.primary, self.figures))

    def history(self, seed, seconds_to_shrink=90):
        """Runs the history of a seed; its finding, or None, and a remark."""
        history = writer.write_history(seed)
        self.figures.add("histories")
        finding = self._guarded(f"history {seed}", lambda: self.run_history(history))
        if finding:
            self._save_history(history, seed)
        if finding and seconds_to_shrink:
            print(f"FINDING in history {seed}: {finding}", flush=True)
            self._show_shorter(history, finding.kind, seed, seconds_to_shrink)
        return finding

    def crowd(self, seed, seconds, kills=True, promote=False):
        """Many sessions at once for some seconds, with a standby."""
        crowd = crowds.Crowd(self.primary, self._standby(), "crowd", seed, seconds, self.figures,
                             kills)
        self.figures.add("crowds")

        def run():
            crowd.run()
            if promote:
                standby = self.standby
                try:
                    crowds.promote_and_judge(standby, crowd)
                    self._tell_bad_lines(standby)
                finally:
                    self._remove_standby()
            self.primary.drop_database("crowd")

        return self._guarded(f"crowd {seed}", run, crowd.describe())

    def _standby(self):
        if self.standby is None:
            self.standby = self.primary.make_standby(os.path.join(self.folder, "standby"))
        return self.standby

    def _remove_standby(self):
        if self.standby:
            self.standby.remove()
            self.standby = None
            self.primary.forget_standby()

    def damage(self, seed, kinds=None):
        """Damages a file in each way; yields the way and its finding, or None."""
        self._remove_standby()
        for kind, finding in damage.run_damage(self.primary, seed, self.figures, kinds):
            lines = self.primary.bad_lines(allowed="XX00[02]|XX001 .*invalid page in block")
            if lines and finding is None:
                finding = Finding(f"damage, {kind}: the server's log", "\n".join(lines[:20]))
            if finding:
                finding = self._note(f"damage {seed}", finding, "")
            yield kind, finding

    def run_history(self, history, record=None, figures=None):
        histories.Runner(self.primary, "history", history, figures or self.figures, record).run()
        self._look_at_logs()

    def _look_at_logs(self):
        self._tell_bad_lines(self.primary)
        if self.standby:
            self._tell_bad_lines(self.standby)

    @staticmethod
    def _tell_bad_lines(cluster):
        lines = cluster.bad_lines()
        if lines:
            oracle.tell("the server's log: " + lines[0][:200], "\n".join(lines[:20]))

    # --- findings ---

    def _guarded(self, name, run, remark=""):
        """Runs; the finding, or None."""
        started = time.monotonic()
        try:
            run()
            self._look_at_logs()
        except Finding as finding:
            return self._note(name, finding, remark)
        except (ServerError, RuntimeError) as error:
            gone = Finding("a server is gone", f"{error}\n{self.primary.last_lines(60)}")
            self._begin_anew()
            return self._note(name, gone, remark)
        finally:
            self.seconds = time.monotonic() - started
        return None

    def _begin_anew(self):
        """With new servers: nothing is known of the old ones."""
        if self.standby:
            self.standby.remove()
            self.standby = None
        self.primary.remove()
        self.primary = Cluster(self.primary.folder, self.primary.pg_bin)
        self.start()

    def _note(self, name, finding, remark):
        """Counts and keeps a finding; None when it is a known one."""
        self.primary.bad_lines()
        if remark:
            finding.text += "; " + remark
        if oracle.known and re.search(oracle.known, finding.kind):
            self.figures.add("known findings")
            return None
        self.n_findings += 1
        self.figures.add("findings")
        self.save(name, f"{name}\n{finding.kind}: {finding.text}\n")
        return finding

    def save(self, name, text):
        path = os.path.join(self.findings_folder, name.replace(" ", "_") + ".txt")
        with open(path, "a", encoding="utf-8") as file:
            file.write(text + "\n")

    def _save_history(self, history, seed):
        path = os.path.join(self.findings_folder, f"history_{seed}.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(history, file, indent=1)

    def _show_shorter(self, history, kind, seed, seconds):
        short = shrink(history, kind, lambda h: self.run_history(h, figures=Figures()), seconds)
        self.primary.bad_lines()
        self._save_history(short, seed)
        print(f"   shortest met, {len(short['steps'])} of {len(history['steps'])} steps:")
        print("   setup " + json.dumps(short["setup"]))
        for step in short["steps"]:
            print("   " + json.dumps(step))


def _show(machine, name, finding):
    print(f"FINDING in {name} ({machine.seconds:.0f} s): {finding}" if finding else
          f"{name}: {machine.seconds:.1f} s", flush=True)


def _long(machine, minutes, seed, parts):
    """Known dangers once, then histories, and between them crowds and damage, for the time."""
    end = time.monotonic() + 60 * minutes
    rng = random.Random(seed)
    if "dangers" in parts:
        for danger in dangers.QUICK + dangers.SLOW:
            if time.monotonic() < end:
                _show(machine, danger.__name__, machine.danger(danger))
    turn = 0
    while time.monotonic() < end:
        number = rng.randrange(1 << 31)
        turn += 1
        if "histories" in parts and not machine.history(number):
            _show(machine, f"history {number}", None)
        if "crowds" in parts and turn % 5 == 0:
            _show(machine, f"crowd {number}", machine.crowd(number, 20, promote=turn % 20 == 0))
        if "damage" in parts and turn % 15 == 0:
            for kind, finding in machine.damage(number):
                _show(machine, f"damage {number}, {kind}", finding)


def _short(machine):
    """Each result as a line of TAP."""
    def tell(name, finding):
        print(f"{'not ok' if finding else 'ok'} - {name}", flush=True)
        if finding:
            for line in str(finding).splitlines():
                print("#   " + line[:400], flush=True)

    for danger in dangers.QUICK:
        tell("danger: " + danger.__name__.replace("_", " "), machine.danger(danger))
    for seed in _SHORT_SEEDS:
        tell(f"history {seed}", machine.history(seed, 0))
    tell("crowd", machine.crowd(1, 8, kills=False))
    for kind, finding in machine.damage(1):
        tell(f"damage: {kind}", finding)
    for line in machine.figures.lines():
        print("# " + line)


def _replay(machine, path):
    with open(path, encoding="utf-8") as file:
        history = json.load(file)
    transcript = os.path.join(machine.findings_folder, "transcript.sql")
    with open(transcript, "w", encoding="utf-8") as file:
        def record(sql, data):
            file.write(sql + ";\n")
            if data is not None:
                file.write(data.decode() + "\\.\n" if "binary" not in sql else
                           f"-- {len(data)} bytes\n")
        try:
            machine.run_history(history, record)
            print("no finding")
        except Finding as finding:
            machine.n_findings += 1
            print(f"FINDING: {finding}")
    print("what the first session said is in transcript.sql")


def _again(machine, how, names):
    """Histories, crowds, damages by their seeds, known dangers by their names."""
    for name in names:
        if how == "history" and not machine.history(int(name)):
            _show(machine, f"history {name}", None)
        elif how in ("crowd", "promotion"):
            _show(machine, f"{how} {name}",
                  machine.crowd(int(name), 20, promote=how == "promotion"))
        elif how == "damage":
            for kind, finding in machine.damage(int(name)):
                _show(machine, f"damage {name}, {kind}", finding)
        elif how == "danger":
            _show(machine, name, machine.danger(getattr(dangers, name)))


def main(arguments):
    parser = argparse.ArgumentParser(prog="soak")
    parser.add_argument("folder")
    parser.add_argument("pg_bin")
    parser.add_argument("--known", help="a pattern of findings that are not to be told")
    parser.add_argument("--parts", default="dangers,histories,crowds,damage")
    parser.add_argument("--rules", choices=["fill"], help="fill: LIMIT has to be filled, too")
    parser.add_argument("how")
    parser.add_argument("rest", nargs="*")
    options = parser.parse_args(arguments)
    oracle.known = options.known
    oracle.fill_limit = options.rules == "fill"
    machine = Machine(options.folder, options.pg_bin)
    try:
        machine.start()
        if options.how == "long":
            _long(machine, float(options.rest[0]), int(options.rest[1]), options.parts.split(","))
        elif options.how == "short":
            _short(machine)
        elif options.how == "replay":
            _replay(machine, options.rest[0])
        else:
            _again(machine, options.how, options.rest)
        if options.how != "short":
            print("\n".join(machine.figures.lines()))
    finally:
        machine.close()
    return 1 if machine.n_findings else 0
