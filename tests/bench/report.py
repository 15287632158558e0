"""What was measured, as a table and as JSON, and which targets it meets."""
import json
import platform
import statistics
import subprocess
import time

import attacks
from servers import SEARCH_PATH, SERVERS

TITLES = {"product": "recall-redirectd", "nginx": "nginx", "nginx-tuned": "nginx, tuned", "haproxy": "HAProxy"}
LOG_COST_TARGET = 1.10
REST_TARGET_BYTES = 6 << 20
IDLE_TARGET_BYTES = (27 << 10) + 1536
AFTER_TARGET_BYTES = 10 << 20
FULL_TARGET_PER_SECOND, FULL_TARGET_MS = 1100, 10
IDLE_TLS_TARGET = 0.95
FEWEST_ROUNDS = 7


class Scenario:
    """One way to load the servers, and the most that the product may cost beside nginx."""

    def __init__(self, title, mode, headers=(), to_nginx=None, to_tuned=None):
        self.title, self.mode, self.headers = title, mode, headers
        self.targets = {"nginx": to_nginx, "nginx-tuned": to_tuned}
        self.us = {name: [] for name in SERVERS}  # CPU time a request, one figure a round


class Life:
    """What a fresh server shows: its start, its memory at rest, and what idle connections cost it."""

    def __init__(self):
        self.first_answer_ms, self.rest_bytes, self.idle_bytes, self.new_connection_us = [], [], [], []
        self.after_bytes, self.full_per_second, self.full_p99_ms, self.idle_tls_us = [], [], [], []


def ratios(ours, theirs):
    return [a / b for a, b in zip(ours, theirs)]


def median_of(values, unit):
    return f"{statistics.median(values) / unit:.1f}" if values else "-"


def spread(values):
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def row(*cells):
    print("| " + " | ".join(str(cell) for cell in cells) + " |")


def head(*cells):
    print()
    row(*cells)
    row(*["---"] * len(cells))


def machine():
    def first_line(*command):
        result = subprocess.run(command, capture_output=True, text=True, env={"PATH": SEARCH_PATH}, check=False)
        return (result.stdout or result.stderr).splitlines()[0]

    with open("/proc/cpuinfo", encoding="utf-8") as file:
        models = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    return {
        "date": time.strftime("%Y-%m-%d"),
        "processors": f"{len(models)} x {models[0] if models else platform.machine()}",
        "kernel": platform.release(),
        "load": open("/proc/loadavg", encoding="ascii").read().split()[0],
        "nginx": first_line("nginx", "-v"),
        "haproxy": first_line("haproxy", "-v"),
    }


class Report:
    def __init__(self, scenarios, lives, attacked, instructions, rounds):
        self.scenarios, self.lives, self.attacked, self.rounds = scenarios, lives, attacked, rounds
        self.instructions = instructions
        self.machine = machine()
        self.targets = []  # what, saw, most allowed

    def expect(self, what, saw, most):
        if most is not None:
            self.targets.append((what, saw, most))

    def show(self):
        print("; ".join(f"{key}: {value}" for key, value in self.machine.items()))
        self.show_cpu()
        self.show_lives()
        self.show_attacks()
        self.show_instructions()
        return self.show_targets()

    def show_cpu(self):
        head("CPU time a request, µs", *TITLES.values(), "ratio to nginx", "ratio to tuned nginx")
        for scenario in self.scenarios:
            ours = scenario.us["product"]
            medians = [f"{statistics.median(scenario.us[name]):.1f}" for name in TITLES]
            beside = {other: ratios(ours, scenario.us[other]) for other in scenario.targets}
            row(scenario.title, *medians, *map(spread, beside.values()))
            for other, values in beside.items():
                self.expect(f"{scenario.title}, ratio to {TITLES[other]}", statistics.median(values),
                            scenario.targets[other])
        off, on = (next(s for s in self.scenarios if s.mode == mode).us["product"] for mode in ("plain", "log"))
        self.expect("the access log on, ratio to off", statistics.median(ratios(on, off)), LOG_COST_TARGET)

    def show_lives(self):
        head("Fresh process", *TITLES.values())
        lines = (("time to the first answer, ms", "first_answer_ms", 1),
                 ("resident at rest, MiB", "rest_bytes", 1 << 20),
                 ("memory of an idle connection, KiB", "idle_bytes", 1 << 10),
                 ("a new connection beside 3,800 idle ones, µs", "new_connection_us", 1),
                 ("resident 5 s after these have gone, MiB", "after_bytes", 1 << 20),
                 ("a TLS handshake beside 900 idle connections, CPU time in µs", "idle_tls_us", 1),
                 ("new connections a second where 1,000 kept ones fill the limit", "full_per_second", 1),
                 ("of these, 99 % are answered within, ms", "full_p99_ms", 1))
        for title, attribute, unit in lines:
            row(title, *(median_of(getattr(self.lives[name], attribute), unit) for name in TITLES))
        ours = self.lives["product"]
        self.expect("memory after idle connections have gone, bytes", ours.after_bytes[0], AFTER_TARGET_BYTES)
        self.expect("a TLS handshake beside 900 idle connections, ratio to nginx",
                    statistics.median(ratios(ours.idle_tls_us, self.lives["nginx"].idle_tls_us)), IDLE_TLS_TARGET)
        self.expect("limit full, 99 % of new connections, ms", ours.full_p99_ms[0], FULL_TARGET_MS)
        self.expect("limit full, milliseconds for each new connection", 1000 / ours.full_per_second[0],
                    1000 / FULL_TARGET_PER_SECOND)
        self.expect("resident at rest, bytes", statistics.median(ours.rest_bytes), REST_TARGET_BYTES)
        self.expect("memory of an idle connection, bytes", statistics.median(ours.idle_bytes), IDLE_TARGET_BYTES)

    def show_attacks(self):
        """What a legitimate client gets: at least what the better peer gives it is the target."""
        head("Under attack: answered, and p50/p99 in ms", *(TITLES[name] for name in attacks.ASKED))
        for attack in self.attacked:
            row(attack.title, *(attack.seen[name] for name in attacks.ASKED))
            self.expect(f"{attack.title}, % not answered", attack.seen["product"].lost, attacks.best_peer(attack).lost)

    def show_instructions(self):
        head("Instructions a request, user space", TITLES["product"])
        for title, n in self.instructions.items():
            row(title, f"{n:,.0f}")

    def show_targets(self):
        """Whether all are met; too few rounds are not judged."""
        print()
        for what, saw, most in self.targets:
            print(f"{'met' if saw <= most else 'MISSED'}: {what}: {saw:.6g}, at most {most:.6g}")
        if self.rounds < FEWEST_ROUNDS:
            print(f"not judged: {self.rounds} rounds, and {FEWEST_ROUNDS} are needed")
            return True
        return all(saw <= most for _, saw, most in self.targets)

    def write(self, path):
        result = {
            "machine": self.machine,
            "rounds": self.rounds,
            "cpu_us_a_request": {s.title: s.us for s in self.scenarios},
            "fresh_process": {name: vars(life) for name, life in self.lives.items()},
            "under_attack": {attack.title: {name: vars(seen) for name, seen in attack.seen.items()}
                             for attack in self.attacked},
            "instructions_a_request": self.instructions,
            "targets": [{"what": what, "saw": saw, "most": most} for what, saw, most in self.targets],
        }
        with open(path, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=1)
            file.write("\n")
