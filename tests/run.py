#!/usr/bin/python3
"""Run the tests: groups of jobs, side by side, with one closing line.

    tests/run.py [GROUP...]     all groups when none is named

Each job's output is in build/test/<group>/<name>.log and is shown when it failed.
FUZZ_SECONDS (20), FUZZ_SEED (random) and JOBS (processors) are read from the environment.
"""
import collections
import concurrent.futures
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
LOGS = TOP / "build" / "test"
FUZZ_SECONDS = int(os.environ.get("FUZZ_SECONDS", "20"))
FUZZ_SEED = int(os.environ.get("FUZZ_SEED", random.randrange(1, 2**31)))
JOBS = int(os.environ.get("JOBS", max(2, os.cpu_count() or 2)))
FLOW_SHARES = 3
FLOWS = JOBS + 1  # at a time, beside JOBS others: they use little of a processor
# Processor time of one turn of the loop: who has to wait for a processor has more to do in one.
ALONE = ["tests/flow/test_many_legs_lose_their_asr.py"]
ASAN = ["B=build/asan", "CC=clang", "SAN=address,undefined", "OPT=-O1 -g"]
# Too slow under valgrind (every length, every alignment), or not possible there (it knows no
# AVX-512), or about waits of tens of milliseconds; the sanitizers run them.
NOT_IN_VALGRIND = {"codecs/test_g711", "net/test_resolve"}

Job = collections.namedtuple("Job", "group name command timeout env after", defaults=({}, None))
Result = collections.namedtuple("Result", "job passed failed skipped seconds notes")


def unit_tests():
    return sorted(str(p.relative_to(TOP / "tests/unit").with_suffix(""))
                  for p in TOP.glob("tests/unit/*/test_*.c"))


def fuzzers():
    return sorted(p.stem for p in TOP.glob("tests/fuzz/fuzz_*.c"))


def make(*args):
    return ["make", "-s", *args]


def unit_jobs(group, build, after, wrap=(), timeout=120, leave_out=()):
    return [Job(group, t.replace("/", "_"), [*wrap, f"{build}/tests/unit/{t}"], timeout,
                {"CMOCKA_MESSAGE_OUTPUT": "STDOUT"}, after)
            for t in unit_tests() if t not in leave_out]


def fuzz_job(name):
    short = name[len("fuzz_"):]
    kind, _, what = short.partition("_")
    found, seeds = LOGS / "fuzz" / short, TOP / "tests/fuzz/corpus" / short
    if kind == "vendor":  # the samples of what the service sends
        seeds = TOP / "tests/data/asr" / what
    found.mkdir(parents=True, exist_ok=True)
    command = [f"build/fuzz/{name}", f"-max_total_time={FUZZ_SECONDS}", f"-seed={FUZZ_SEED}",
               "-reduce_inputs=0", "-timeout=10", "-verbosity=0", "-print_final_stats=1",
               f"-artifact_prefix={found}-"]
    for words in (f"{short}.dict", f"{kind}.dict"):
        if (TOP / "tests/fuzz" / words).exists():
            command.append(f"-dict=tests/fuzz/{words}")
            break
    return Job("fuzz", short, [*command, str(found), str(seeds)], FUZZ_SECONDS + 120, {}, "fuzz")


def flow_job(name, group, build, share, after, *words):
    where = str(TOP / build)
    return Job(group, name, ["/usr/bin/python3", "-m", "pytest", "-q", "-rs", "--durations=8",
                             "-p", "no:cacheprovider", *words], 1500,
               {"BUILD": where, "B": where, "FLOW_SHARE": str(share)}, after)


def flow_jobs(group, build, after, *options):
    """The files dealt out: they mostly wait, for audio that comes in real time."""
    files = sorted(str(p.relative_to(TOP)) for p in TOP.glob("tests/flow/test_*.py"))
    files = [f for f in files if f not in ALONE]
    first = FLOW_SHARES * (after == "asan")
    return [flow_job(f"pytest{n + 1}", group, build, first + n, after, *options,
                     *files[n::FLOW_SHARES]) for n in range(FLOW_SHARES)]


# What is built before the jobs that name it in `after`.
def builds():
    tests = [f"tests/unit/{t}" for t in unit_tests()]
    return {
        "release": Job("build", "release", make("-j2", "all", "testtools",
                                                *[f"build/{t}" for t in tests]), 900),
        "asan": Job("build", "asan", make("-j2", *ASAN, "all", "testtools",
                                          *[f"build/asan/{t}" for t in tests]), 900),
        "clang": Job("build", "clang", make("B=build/clang", "CC=clang", "all"), 900),
        "fuzz": Job("build", "fuzz", make("-j2", "fuzzers"), 900),
        "neon": Job("build", "neon", make("build/neon/g711"), 300),
    }


def jobs_of_groups():
    """In the order in which they start: the long ones first."""
    valgrind = ["valgrind", "-q", "--error-exitcode=99", "--leak-check=full",
                "--errors-for-leak-kinds=definite"]
    return {
        "lint": [Job("lint", "lint", ["/usr/bin/python3", "tools/lint.py"], 60)],
        "flow": flow_jobs("flow", "build", "release") +
                [flow_job("pytest-alone", "flow", "build", 0, "release", *ALONE)],
        "flow-asan": flow_jobs("flow-asan", "build/asan", "asan", "-m", "not release"),
        "unit": unit_jobs("unit", "build", "release"),
        "asan": unit_jobs("asan", "build/asan", "asan"),
        "fuzz": [fuzz_job(n) for n in fuzzers()],
        "valgrind": unit_jobs("valgrind", "build", "release", valgrind, 300, NOT_IN_VALGRIND),
        "clang": [Job("clang", "Werror", ["true"], 10, {}, "clang")],
        "neon": [Job("neon", "g711", make("test-neon"), 300, {}, "neon")],
    }


def environment(job):
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    env["ASAN_OPTIONS"] = "detect_leaks=1:detect_stack_use_after_return=1"
    env["UBSAN_OPTIONS"] = "print_stacktrace=1"
    return {**env, **job.env}


def start(job):
    """Run one job to its end; everything it started ends with it."""
    log = LOGS / job.group / f"{job.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with open(log, "wb") as out:
        try:
            status = subprocess.run(["timeout", "-k", "10", str(job.timeout), *job.command],
                                    cwd=TOP, env=environment(job), stdout=out,
                                    stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                    check=False).returncode
        except OSError as e:
            out.write(f"{job.command[0]}: {e}\n".encode())
            status = 127
    if status == 124:
        with open(log, "ab") as out:
            out.write(f"\nended after its limit of {job.timeout} s\n".encode())
    return judge(job, status, log.read_text(errors="replace"), time.monotonic() - began)


def count(pattern, text):
    found = re.findall(pattern, text, re.M)
    return int(found[-1]) if found else 0


def judge(job, status, text, seconds):
    """What a job's output says: cmocka's lines, pytest's closing line, or its exit status."""
    notes, passed, failed, skipped = [], 0, 0, 0
    if job.group in ("unit", "asan", "valgrind"):
        passed = count(r"^\[  PASSED  \] (\d+) test", text)
        failed = count(r"^\[  FAILED  \] (\d+) test", text)
        skipped = count(r"^\[  SKIPPED \] (\d+) test", text)
        notes = re.findall(r"^skipped: .*", text, re.M)
    elif job.name.startswith("pytest"):
        last = text.strip().split("\n")[-1]
        passed, failed, skipped, errors = (count(rf"(\d+) {w}", last) for w in
                                           ("passed", "failed", "skipped", "errors?"))
        failed += errors
        notes = skip_reasons(text) + [last]
    elif job.group != "build":
        passed = int(status == 0)
        if job.group == "fuzz":
            notes = [share(job, text)]
    if status != 0:
        failed = max(failed, 1)
    if status == 0 and passed + skipped == 0 and job.group != "build":
        failed, notes = 1, notes + ["ran no test"]
    return Result(job, passed, failed, skipped, seconds, notes)


def skip_reasons(text, most=8):
    """pytest's reasons, each once with its count; all of them are in the log."""
    reasons = collections.Counter()
    for n, reason in re.findall(r"^SKIPPED \[(\d+)\] [^ ]+: (.*)", text, re.M):
        reasons[re.sub(r"\S*(\.pcap|\.dat)\S*", "a file", reason)] += int(n)
    rows = [f"{n} skipped: {reason}" for reason, n in reasons.most_common(most)]
    if len(reasons) > most:
        rows.append(f"and for {len(reasons) - most} more reasons, see the log")
    return rows


def share(job, text):
    accepted = re.findall(r"^accepted (\d+) of (\d+) inputs", text, re.M)
    if not accepted:
        return f"{job.name}: does not tell the share of inputs accepted"
    a, n = map(int, accepted[-1])
    return f"{job.name}: accepted {a} of {n} inputs ({100 * a / max(n, 1):.1f} %)"


def show(result):
    job, word = result.job, "FAILED" if result.failed else "ok"
    if result.failed or job.group in ("build", "lint", "fuzz", "neon", "clang") or result.notes:
        print(f"{word:6} {job.group}/{job.name}  {result.seconds:.0f} s", flush=True)
    for note in result.notes:
        print(f"       {note}", flush=True)
    if result.failed:
        log = LOGS / job.group / f"{job.name}.log"
        lines = log.read_text(errors="replace").split("\n")
        print(f"       the end of {log.relative_to(TOP)}:")
        print("\n".join(f"       | {line}" for line in lines[-80:]), flush=True)


def run_all(groups):
    """Builds, then jobs in the order of the groups, some at a time; a job waits for its build."""
    jobs = [job for rows in groups.values() for job in rows]
    recipes = builds()
    # first, alone: the others include what it makes
    results = [start(recipes["release"])]
    show(results[0])
    if results[0].failed:
        return results
    todo = [recipes[b] for b in dict.fromkeys(j.after for j in jobs) if b and b != "release"] + jobs
    built, running = {None, "release"}, set()
    limits, busy = {True: FLOWS, False: JOBS}, {True: 0, False: 0}
    with concurrent.futures.ThreadPoolExecutor(FLOWS + JOBS) as pool:
        while True:
            for job in [j for j in todo if j.after in built]:
                flow = job.group.startswith("flow")
                if job.name.endswith("-alone") and (running or len(todo) > 1):
                    continue
                if busy[flow] < limits[flow]:
                    busy[flow] += 1
                    todo.remove(job)
                    running.add(pool.submit(start, job))
            if not running:
                return results   # what is left waits for a build that failed
            done, running = concurrent.futures.wait(
                running, return_when=concurrent.futures.FIRST_COMPLETED)
            for result in (future.result() for future in done):
                busy[result.job.group.startswith("flow")] -= 1
                results.append(result)
                show(result)
                if result.job.group == "build" and not result.failed:
                    built.add(result.job.name)


def summary(results):
    print()
    for group in dict.fromkeys(r.job.group for r in results):
        rows = [r for r in results if r.job.group == group]
        p, f, s = (sum(getattr(r, k) for r in rows) for k in ("passed", "failed", "skipped"))
        took = sum(r.seconds for r in rows)
        if group == "build":
            print(f"{group:10} {len(rows)} built, {f} failed, {took:.0f} s")
        else:
            print(f"{group:10} {p} passed, {f} failed, {s} skipped, {took:.0f} s")
    total = [sum(getattr(r, k) for r in results) for k in ("passed", "failed", "skipped")]
    print(f"\n{total[0]} passed, {total[1]} failed, {total[2]} skipped", flush=True)
    return total[1] == 0 and total[0] > 0


def main(names):
    if not os.path.exists("/proc/self/maps"):
        print("There is no /proc here (a chroot?); sanitizers, valgrind and shells need it. "
              "As root:\n    mount -t proc proc /proc", file=sys.stderr)
        return 1
    shutil.rmtree(LOGS, ignore_errors=True)
    LOGS.mkdir(parents=True)
    groups = jobs_of_groups()
    unknown = [n for n in names if n not in groups]
    if unknown:
        print(f"unknown group {unknown[0]}; there are: {' '.join(groups)}", file=sys.stderr)
        return 64
    chosen = {n: jobs for n, jobs in groups.items() if not names or n in names}
    if "fuzz" in chosen:
        print(f"fuzzing {FUZZ_SECONDS} s each, FUZZ_SEED={FUZZ_SEED}")
    return 0 if summary(run_all(chosen)) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
