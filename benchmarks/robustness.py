"""What was tried to lose an answer or to break in, how often, and what came of it.

Damages of a saved fit under a renewed seal; interrupts and kills at random moments of `fit -o` and
`tasks -o`; many fits of different shapes in one process. Each case is kept (a right answer, or all
that was there before), refused (one line), or failed.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from .common import table, write

DAMAGES, MOMENTS, FITS = 3_000, 20, 300
SHOWN = ("kept", "refused", "failed")


def damage(content: bytes, rng: np.random.Generator) -> bytes:
    """Return a copy with a bit, some bytes, a run of bytes changed, or bytes from elsewhere."""
    found, at = bytearray(content), int(rng.integers(len(content)))
    kind = rng.integers(4)
    if kind == 0:
        found[at] ^= 1 << int(rng.integers(8))
    elif kind == 1:
        for each in rng.integers(len(found), size=20):
            found[each] = int(rng.integers(256))
    elif kind == 2:
        run = rng.bytes(int(rng.integers(1, 200)))[: len(found) - at]
        found[at : at + len(run)] = run
    else:
        other = int(rng.integers(len(found) - 8))
        found[at : at + 8] = found[other : other + 8][: len(found) - at]
    return bytes(found)


def damages() -> dict:
    """Load damaged copies of a small fit: each is read or refused in one line."""
    import warnings

    import bayescale as bs
    from bayescale.posterior.files import StorageError, sealed, unsealed
    from bayescale.posterior.storage import FORMAT

    warnings.simplefilter("ignore")  # numbers of random bits overflow
    x = np.geomspace(1e8, 1e11, 24)
    y = (1.8 + 150 * x**-0.25) * np.exp(0.005 * np.random.default_rng(0).normal(size=24))
    sampler = bs.NUTS(chains=2, warmup=200, draws=100, retries=0)
    fit = bs.fit("power", bs.from_frame({"x": x, "y": y}, "x", "y"), sampler=sampler, seed=1)
    counts: Counter = Counter()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fit.nc"
        bs.save(fit, path, rows=False)
        content = unsealed(path, FORMAT)
        for seed in range(DAMAGES):
            path.write_bytes(sealed(damage(content, np.random.default_rng(seed)), FORMAT))
            try:
                bs.load(path)
                counts["kept"] += 1
            except StorageError as error:
                counts["failed" if "\n" in str(error) else "refused"] += 1
            except Exception:
                counts["failed"] += 1
    return dict(counts)


def runs(folder: Path) -> list[str]:
    """Write a table of two tasks and return the words that fit it."""
    rng, rows = np.random.default_rng(2), []
    for name, half in (("a", 1e21), ("b", 1e22)):
        x = np.geomspace(1e19, 1e24, 20)
        p = 0.25 + 0.6 / (1 + (x / half) ** -1.2)
        right = rng.binomial(200, p) / 200
        rows += [(name, *pair, 200, 0.25) for pair in zip(x, right, strict=True)]
    frame = pd.DataFrame(rows, columns=["task", "flops", "acc", "n", "chance"])
    frame.to_csv(folder / "runs.csv", index=False)
    words = [str(folder / "runs.csv"), "--curve", "task", "-x", "flops", "-y", "acc", "-n", "n"]
    return [*words, "--chance", "chance"]


def remove(path: Path) -> None:
    """Remove a file, or a folder and all in it."""
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)


def moments(command: str, how: signal.Signals) -> dict:
    """Interrupt, or kill, a command at random moments; then run it to its end."""
    import bayescale as bs

    counts: Counter = Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        words, out = runs(folder), folder / "out"
        target = out / "fits" if command == "tasks" else folder / "out.nc"
        more = ["--laws", "sigmoid,flat"] if command == "tasks" else ["--law", "sigmoid"]
        place = str(out if command == "tasks" else target)
        code = "import sys; from bayescale.cli.commands import main; sys.exit(main())"
        call = [sys.executable, "-c", code, command, *words, *more, "-o", place]
        env = os.environ | {"BAYESCALE_CACHE": str(folder / "cache")}
        quiet = dict(env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        whole = 0.0
        for _ in range(2):  # the first one compiles
            remove(Path(place))
            begin = time.monotonic()
            subprocess.run(call, **quiet, check=False)
            whole = time.monotonic() - begin
        rng = np.random.default_rng(int(how))
        for i, wait in enumerate(rng.uniform(0.0, whole, MOMENTS)):
            if i % 2:
                remove(Path(place))  # else what is there is replaced, or gone on from
            process = subprocess.Popen(call, **quiet)
            time.sleep(wait)
            process.send_signal(how)
            told = process.communicate()[1]
            status = process.returncode
            # A signal before Python runs ours ends it by the signal itself; one after the answer
            # comes too late.
            right = status in (0, 1, 130, -how) or (how == signal.SIGKILL and status == -9)
            files = [target] if target.is_file() else [*target.glob("*.nc")]
            try:
                for path in files:
                    bs.load(path)
            except ValueError:
                right = False
            if how == signal.SIGINT and "Traceback" in told and "bayescale/cli" in told:
                right = False
            counts["kept" if right else "failed"] += 1
        end = subprocess.run(call, **quiet, check=False)
        left = [*folder.rglob("*.part")]
        counts["failed"] += (end.returncode not in (0, 1)) + len(left)
    return {name: counts[name] for name in SHOWN if counts[name]}


def shapes() -> dict:
    """Fit many tables of different shapes in one process of its own; return maps and memory."""
    done = subprocess.run(
        [sys.executable, "-c", "import benchmarks.robustness as r; r.many()"],
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {
        "kept": len(lines),
        "failed": FITS - len(lines),
        "most maps": max(line["maps"] for line in lines),
        "most GB": max(line["GB"] for line in lines),
    }


def many() -> None:
    """Fit laws to tables of different lengths, each combination another program."""
    import bayescale as bs

    sampler = bs.NUTS(chains=2, warmup=100, draws=100, retries=0)
    laws = ("power", "saturating", "shifted_power", "broken(1)", "broken(2)")
    for i in range(FITS):
        law = bs.get_law(laws[i % len(laws)])
        length = 16 * 2 ** (i // len(laws) % 5) - 1
        if i >= 25 and "E" in law.free:
            law = law.fix(E=1.5 + 0.001 * (i // 25))
        x = np.geomspace(1e8, 1e11, length)
        noise = np.exp(0.005 * np.random.default_rng(i).normal(size=length))
        data = bs.from_frame({"x": x, "y": (1.8 + 150 * x**-0.25) * noise}, "x", "y")
        bs.fit(law, data, sampler=sampler, seed=i)
        maps = Path("/proc/self/maps").read_bytes().count(b"\n")
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        print(json.dumps({"maps": maps, "GB": pages * 4096 / 1e9}), flush=True)


def main() -> None:
    """Run the study and write its figures."""
    cases = {f"{DAMAGES:,} damages of a file, its seal renewed": damages()}
    for command in ("fit", "tasks"):
        for name, how in (("interrupts", signal.SIGINT), ("kills", signal.SIGKILL)):
            cases[f"{MOMENTS} {name} of {command} -o"] = moments(command, how)
    cases[f"{FITS} fits of different shapes in one process"] = shapes()
    frame = pd.DataFrame(cases).T.rename_axis("tried").reset_index().fillna("")
    write(
        "robustness",
        "What was tried to lose an answer",
        "Kept: read as it is, or what was there before stays whole and is read; refused: one line; "
        "failed: anything else, a file half-written or left behind among it.",
        table(frame),
    )
