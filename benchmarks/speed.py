"""Speed and memory of the Chinchilla posterior, each program in a fresh process.

CPU seconds (user and system) of import, start, first fit with a cold and a warm compilation
cache, second fit and sampling alone, with the accuracy reached beside them; the gradient floor is
the same density's gradient in a bare loop. Rivals: NumPyro as commonly written, and nutpie. Where
`BAYESCALE_BEFORE` names a checkout of an earlier version, it takes turns with this one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec

import numpy as np
import pandas as pd

from .common import cpu_seconds, data_dir, table, write

REPEATS = 3
BEFORE = os.environ.get("BAYESCALE_BEFORE")
EARLIER = bool(BEFORE) and "--earlier" in sys.argv
"""Whether this process runs the earlier version."""


def ours(cache: str) -> dict:
    """Fit twice in this process and time every stage."""
    import resource

    start = cpu_seconds()
    import jax

    import bayescale as bs

    fit = bs.fit

    jax.config.update("jax_compilation_cache_dir", cache)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    found = {"import": cpu_seconds() - start}
    runs = pd.read_csv(data_dir() / "chinchilla_epoch.csv")
    data = bs.from_frame(
        runs, {"N": "params", "D": "tokens"}, "loss", where="dropped_by_replication == 0"
    )
    for stage in ("first fit", "second fit"):
        before = cpu_seconds()
        posterior = fit("chinchilla", data, seed=len(found))
        found[stage] = cpu_seconds() - before
    if not EARLIER:
        found |= stages(posterior.model, data)
    verdict = posterior.health.verdicts[0]
    found |= {
        "min ESS": min(verdict.ess.values()),
        "max R-hat": max(verdict.rhat.values()),
        "leapfrogs a draw": posterior.sampling.leapfrogs,
        "peak GB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }
    return found


def stages(model, data) -> dict:
    """Time the search, the sampling (compiled before) and as many bare gradients."""
    import jax

    from bayescale.inference.modes import search
    from bayescale.inference.samplers import NUTS, Clock
    from bayescale.model.arrays import pack

    with jax.enable_x64(True):
        (batch,) = pack(model, data)
        before = cpu_seconds()
        search(model, batch.data, batch.keys, 7)
        searched = cpu_seconds() - before
        before = cpu_seconds()
        chains = NUTS().run(model, batch, 7, Clock(lambda stage, share: None))
        both = cpu_seconds() - before
        steps = int(chains.stats["n_steps"].sum() * 2)  # warm-up takes about as many again
        lane = jax.tree.map(lambda leaf: leaf[0], batch.data)
        gradient = jax.grad(lambda z: model.log_density(z, lane))

        @jax.jit
        def loop(z, count):
            return jax.lax.fori_loop(0, count, lambda _, z: z + 1e-9 * gradient(z), z)

        z = chains.z[0, 0, -1]
        jax.block_until_ready(loop(z, 10))
        before = cpu_seconds()
        jax.block_until_ready(loop(z, steps))
        floor = cpu_seconds() - before
    return {
        "start (second)": searched,
        "sampling alone": both - searched,
        "gradient floor": floor,
        "gradients": steps,
        "sampling / floor": (both - searched) / floor,
    }


def numpyro_raw() -> dict:
    """NumPyro as commonly written: raw A and B, float32, default warm-up."""
    start = cpu_seconds()
    import jax
    import jax.numpy as jnp
    import numpyro
    import numpyro.distributions as dist
    from arviz_stats.base import array_stats
    from numpyro.infer import MCMC, NUTS

    runs = pd.read_csv(data_dir() / "chinchilla_epoch.csv").query("dropped_by_replication == 0")
    N, D, loss = (jnp.asarray(runs[c].to_numpy()) for c in ("params", "tokens", "loss"))

    def model(N, D, loss):
        E = numpyro.sample("E", dist.LogNormal(0.5, 0.5))
        A = numpyro.sample("A", dist.LogNormal(6.0, 2.0))
        B = numpyro.sample("B", dist.LogNormal(6.0, 2.0))
        alpha = numpyro.sample("alpha", dist.LogNormal(-1.0, 0.7))
        beta = numpyro.sample("beta", dist.LogNormal(-1.0, 0.7))
        sigma = numpyro.sample("sigma", dist.HalfNormal(0.1))
        nu = numpyro.sample("nu", dist.Gamma(2.0, 0.1))
        mean = jnp.log(E + A * N**-alpha + B * D**-beta)
        numpyro.sample("y", dist.StudentT(nu, mean, sigma), obs=jnp.log(loss))

    sampler = MCMC(
        NUTS(model),
        num_warmup=1000,
        num_samples=1000,
        num_chains=4,
        chain_method="sequential",
        progress_bar=False,
    )
    sampler.run(jax.random.key(0), N, D, loss, extra_fields=("num_steps",))
    spent = cpu_seconds() - start
    draws = sampler.get_samples(group_by_chain=True)
    axes = {"chain_axis": 0, "draw_axis": 1}
    return {
        "all": spent,
        "min ESS": min(float(array_stats.ess(np.asarray(v), **axes)) for v in draws.values()),
        "max R-hat": max(float(array_stats.rhat(np.asarray(v), **axes)) for v in draws.values()),
        "leapfrogs a draw": float(sampler.get_extra_fields()["num_steps"].mean()),
    }


def nutpie() -> dict:
    """nutpie with low-rank adaptation on the same model in PyMC, centred; numba compiled."""
    start = cpu_seconds()
    import nutpie as sampler
    import pymc as pm
    from arviz_stats.base import array_stats

    runs = pd.read_csv(data_dir() / "chinchilla_epoch.csv").query("dropped_by_replication == 0")
    N, D, loss = (runs[c].to_numpy() for c in ("params", "tokens", "loss"))
    n, d = np.log(N / np.exp(np.log(N).mean())), np.log(D / np.exp(np.log(D).mean()))
    names = ("level", "share", "alpha", "beta", "sigma", "nu")
    with pm.Model() as model:
        level = pm.LogNormal("level", np.log(np.median(loss)), 1.0)
        share = pm.Dirichlet("share", np.ones(3))
        alpha, beta = (pm.LogNormal(k, -1.29, 1.03) for k in ("alpha", "beta"))
        sigma, nu = pm.LogNormal("sigma", -4.05, 1.73), pm.Gamma("nu", 2.0, 0.1)
        terms = share[0] + share[1] * pm.math.exp(-alpha * n) + share[2] * pm.math.exp(-beta * d)
        mean = pm.math.log(level * terms)
        pm.StudentT("y", nu=nu, mu=mean, sigma=sigma, observed=np.log(loss))
    compiled = sampler.compile_pymc_model(model)
    setup = cpu_seconds() - start
    trace = sampler.sample(
        compiled,
        draws=1000,
        tune=1000,
        chains=4,
        cores=1,
        seed=0,
        low_rank_modified_mass_matrix=True,
        progress_bar=False,
    )
    draws = [np.asarray(trace.posterior[k]) for k in names]
    flat = [v if v.ndim == 2 else v[..., i] for v in draws for i in range(1 if v.ndim == 2 else 3)]
    axes = {"chain_axis": 0, "draw_axis": 1}
    return {
        "all": cpu_seconds() - start,
        "compile": setup,
        "min ESS": min(float(array_stats.ess(v, **axes)) for v in flat),
        "max R-hat": max(float(array_stats.rhat(v, **axes)) for v in flat),
        "leapfrogs a draw": float(trace.sample_stats["n_steps"].mean()),
    }


COMMANDS = {
    "bayescale --help": ["--help"],
    "show FIT": ["show", "FIT"],
    "allocate FIT": ["allocate", "FIT", "--flops", "1e24"],
    "predict FIT": ["predict", "FIT", "--at", "N=7e10,D=1.4e12"],
    "fit chinchilla": ["fit", "chinchilla"],
}


def commands(cache: str, earlier: bool) -> dict:
    """Return the CPU seconds of commands, each in a fresh process, with a warm cache."""
    import resource

    path = f"import sys; sys.path.insert(0, {BEFORE!r}); import bayescale; del sys.path[0]; "
    code = "import sys; from bayescale.cli.commands import main; sys.exit(main())"
    python = [sys.executable, "-c", path * earlier + code]
    env = os.environ | {"BAYESCALE_CACHE": cache}

    def run(words: list[str]) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        words = [word.replace("FIT", f"{cache}/fit.nc") for word in words]
        subprocess.run([*python, *words], env=env, capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    run(["fit", "chinchilla", "-o", "FIT"])
    for words in COMMANDS.values():
        run(words)
    return {name: run(words) for name, words in COMMANDS.items()}


def child(what: str, *args: str, earlier: bool = False) -> dict:
    """Run one of the above in a fresh process."""
    path = f"import sys; sys.path.insert(0, {BEFORE!r}); import bayescale; del sys.path[0]; "
    code = f"import json, benchmarks.speed as s; print(json.dumps(s.{what}(*{args!r})))"
    command = [sys.executable, "-c", path * earlier + code, *["--earlier"] * earlier]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Run the study, all programs in turn, and write its figures."""
    rivals = ["numpyro_raw"] + ["nutpie"] * bool(find_spec("nutpie") and find_spec("pymc"))
    rows: dict[str, list[dict]] = {}
    asked: dict[str, list[dict]] = {}
    for _ in range(REPEATS):
        for version in ("before", "now") if BEFORE else ("now",):
            with tempfile.TemporaryDirectory() as cache:
                for state in ("cold", "warm"):
                    figures = child("ours", cache, earlier=version == "before")
                    rows.setdefault(f"bayescale {version}, {state} cache", []).append(figures)
            with tempfile.TemporaryDirectory() as cache:
                asked.setdefault(version, []).append(commands(cache, version == "before"))
        for rival in rivals:
            rows.setdefault(rival, []).append(child(rival))
    mine = {k: pd.DataFrame(v).median() for k, v in rows.items() if k.startswith("bayescale")}
    other = {k: pd.DataFrame(v).median() for k, v in rows.items() if not k.startswith("bayescale")}
    lines = pd.DataFrame({k: pd.DataFrame(v).median() for k, v in asked.items()})
    revision = ["git", "-C", str(BEFORE), "rev-parse", "--short", "HEAD"]
    before = f" Before: {subprocess.check_output(revision, text=True).strip()}." if BEFORE else ""
    write(
        "speed",
        "Speed and memory: the Chinchilla posterior",
        f"240 rows, student noise, 4 x (1000 + 1000), float64; medians of {REPEATS} runs, programs "
        f"in turn, each in a fresh process; CPU seconds (user + system).{before}",
        table(pd.DataFrame(mine).rename_axis("bayescale").reset_index(), 3),
        table(pd.DataFrame(other).rename_axis("rivals").reset_index(), 3),
        "Commands, each in a fresh process, with a warm cache of programs:",
        table(lines.rename_axis("command").reset_index(), 3),
        "The gradient floor is as many gradients of the same density as the sampler took in "
        "warm-up and sampling together (taken as twice those of the draws), in a bare loop.",
    )
