"""Hand-made report documents: one that looks like a run, and the pieces to vary it. The numbers are typed, not computed."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction
from typing import Any

Json = dict[str, Any]


def side(lower: float | None, upper: float | None, exact: str | None = None) -> Json:
    """A side of an instance."""
    return {"lower": lower, "upper": upper} | ({} if exact is None else {"exact": exact})


def rational(exact: str) -> Json:
    """An exact side: the rational and the doubles around it."""
    value = Fraction(exact)
    nearest = float(value)
    return side(
        nearest if Fraction(nearest) <= value else math.nextafter(nearest, -math.inf),
        nearest if Fraction(nearest) >= value else math.nextafter(nearest, math.inf),
        exact,
    )


def instance(verdict: str, **given: Any) -> Json:
    """An instance with everything else absent unless given."""
    entry: Json = {
        "model": None, "agents": None, "subsample": None, "parameters": {}, "label": "population", "verdict": verdict,
        "actual": None, "bound": None, "trivial": None, "slack": None, "reason": "", "details": {},
        "reproduce": "mfverify verify --claims X --instance 'population'",
    }  # fmt: skip
    assert given.keys() <= entry.keys()
    return entry | given


def claim(name: str, status: str, instances: list[Json], **given: Any) -> Json:
    """A claim with plain texts unless given."""
    entry: Json = {
        "id": name, "title": f"title of {name}", "statement": "for all models $a \\le b$", "source": "section 4",
        "reading": "as stated", "assumptions": ["finite sets"], "registered": status, "status": status, "rests_on": [],
        "left_means": "the left quantity", "right_means": "the right quantity", "control": "halves the right side",
        "grounds": {"kind": "counterexample" if status == "refuted" else "search only", "where": "", "uses": []},
        "instances": instances,
    }  # fmt: skip
    assert given.keys() <= entry.keys() | {"paper", "repairs", "failing_step"}
    return entry | given


def model(name: str, **given: Any) -> Json:
    """A model with the sizes and constants of the coordination model unless given."""
    entry: Json = {
        "name": name, "documentation": "", "fingerprint": "0123456789abcdef" * 4,
        "sizes": {"global_states": 2, "global_actions": 2, "local_states": 2, "local_actions": 2},
        "discount": "1/2", "rt_g": "0", "rt_l": "101/100", "rt": "101/100",
    }  # fmt: skip
    return entry | given


def document(claims: list[Json], models: list[Json] | None = None, **given: Any) -> Json:
    """A document whose summary agrees with its claims."""
    verdicts = Counter(entry["verdict"] for one in claims for entry in one["instances"])
    summary = {
        "claims": len(claims),
        "instances": sum(verdicts.values()),
        "verdicts": dict(verdicts),
        "statuses": dict(Counter(one["status"] for one in claims)),
        "unexpected": [one["id"] for one in claims if one["status"] != one["registered"]],
    }
    return {
        "format": 1, "profile": "quick", "summary": summary, "claims": claims, "models": models or [],
        "provenance": {"version": "0.1.0", "commit": "abc1234"},
    } | given  # fmt: skip


def walk(claim_id: str, label: str, *verdicts: str) -> Json:
    """An argument on an instance: a line of 1/2 <= 1 for each that holds, of 2 <= 1 for each that is violated."""
    lines = [
        {"step": f"step {i}", "uses": ["C3"], "where": "s_g=0", "verdict": verdict,
         "left": rational("2" if verdict == "violated" else "1/2") | {"means": "what is bounded"}, "right": rational("1") | {"means": "the bound"}}
        for i, verdict in enumerate(verdicts, start=1)
    ]  # fmt: skip
    breaks = verdicts.index("violated") + 1 if "violated" in verdicts else None
    return {"claim": claim_id, "instance": label, "lines": lines, "breaks": breaks, "conclusion": "That is how it ends."}


def gap_claim() -> Json:
    """Theorem 4.2 on the coordination model: holds for small k, violated at k = 300 and 401."""
    found = (
        (11, 0.9401223874, 3.1002391170), (51, 0.9017753310, 1.7044120032), (101, 0.8042200914, 1.2600871133),
        (201, 0.7602218872, 0.9011372200), (300, 0.7448120051, 0.7098331020), (401, 0.7338560624, 0.6055129938),
    )  # fmt: skip
    instances = [
        instance(
            "violated" if gap > bound else "holds",
            model="coordination", agents=2000, subsample=k, label=f"coordination n=2000 k={k}",
            actual=side(gap, gap + 3e-11), bound=side(bound, bound + 2e-14), trivial=rational("101/25"),
            slack=side(bound / gap - 1e-10, bound / gap + 1e-10),
            details={"worst": "Worst state: s_g = 0, 1000 agents in each local state.", "sweeps": 41},
            reproduce=f"mfverify verify --claims T1 --instance 'coordination n=2000 k={k}'",
        )
        for k, gap, bound in found
    ]  # fmt: skip
    instances += [
        instance(
            "vacuous" if k < 4 else "holds",
            model="absorbing", agents=12, subsample=k, label=f"absorbing n=12 k={k}",
            actual=side(0.0, 2e-12), bound=side(9.1 / k**0.5, 9.1 / k**0.5 + 1e-13), trivial=rational("5"),
            slack=side(1e10, None), reproduce=f"mfverify verify --claims T1 --instance 'absorbing n=12 k={k}'",
        )
        for k in range(1, 13)
    ]  # fmt: skip
    instances.append(instance("undecided", model="coordination", agents=20000, subsample=401, reason="Beyond memory."))
    return claim(
        "T1", "refuted", instances,
        title="Optimality gap of the executed policy",
        statement=r"For all $s_0$ and $1 \le k \le n$, $$V^{\star}(s_0) - V^{\pi_k}(s_0) \le \frac{\tilde{r}}{(1-\gamma)^2}"
        r" \sqrt{\frac{n-k+1}{2nk}"
        r" \ln \frac{40\,\tilde{r}\,|\mathcal{S}_l||\mathcal{A}_l||\mathcal{A}_g|\,k^{|\mathcal{A}_l|+1/2}}{(1-\gamma)^2}}"
        r" + \frac{1}{10\sqrt{k}} + 2\varepsilon_{k,m}$$",
        source="Theorem 4.2", reading="The logarithm stands under the root, which is what inverting C1 gives; $\\varepsilon_{k,m} = 0$.",
        assumptions=["finite sets (Assumption 2.1)", r"rewards bounded by $\tilde{r}$ (Assumption 2.2)", "the operator $T_k$ is exact"],
        rests_on=["L2", "C2"], left_means=r"$\max_{s} V^{\star}(s) - V^{\pi_k}(s)$, own draws", right_means="the right side of Theorem 4.2",
        control="Drops the factor $1/(1-\\gamma)^2$ of the first term.",
    )  # fmt: skip


def lipschitz_claim() -> Json:
    """Theorem E.3 across sizes: exact values 3/4 and 5/8 at total variation 0, so 1/8 > 0."""
    return claim(
        "L2", "refuted",
        [
            instance(
                "violated", model="absorbing", agents=2, subsample=1, label="absorbing n=2 k=1",
                actual=rational("1/8"), bound=rational("0"), trivial=rational("4"), slack=rational("0"),
                details={"worst": "All agents undecided: Q*_1 = 3/4, Q*_2 = 5/8, TV = 0.", "left value": "3/4", "right value": "5/8"},
                reproduce="mfverify verify --claims L2 --instance 'absorbing n=2 k=1'",
            ),
            instance("not-applicable", model="coordination", agents=2, subsample=2, reason="k = n: the two systems are the same."),
        ],
        title="Lipschitz continuity across sizes",
        statement=r"$$\left| \hat{Q}^{\star}_k(s_g, F_{z_\Delta}, a_g) - \hat{Q}^{\star}_{k'}(s_g, F_{z_{\Delta'}}, a_g) \right|"
        r" \le \frac{2\,\tilde{r}_l}{1-\gamma}\, \operatorname{TV}(F_{z_\Delta}, F_{z_{\Delta'}})$$",
        source="Theorem E.3 (appendix)", reading="For any two sizes, as Section 4 uses it.", control="Replaces 2 by 1 for equal sizes.",
        left_means="the largest difference of the two values", right_means="the Lipschitz constant times the total variation",
    )  # fmt: skip


def concentration_claim() -> Json:
    """A tail bound with a curve, corroborated on twenty-one instances."""
    epsilon = [0.05 * step for step in range(1, 15)]
    curve = {
        "title": "Tail of the largest deviation",
        "x_label": "deviation e", "y_label": "probability", "x": epsilon, "scale": "log",
        "series": [
            {"label": "probability", "lower": [0.9 * 0.5**i for i in range(14)], "upper": [0.9 * 0.5**i for i in range(14)]},
            {"label": "bound C1", "lower": [4 * 0.7**i for i in range(14)], "upper": [4 * 0.7**i for i in range(14)]},
        ],
    }  # fmt: skip
    instances = [
        instance(
            "holds", agents=n, subsample=k, parameters={"epsilon": "1/5", "types": 4}, label=f"population n={n} k={k} epsilon=1/5 types=4",
            actual=side(0.2 / k, 0.2 / k), bound=side(1.9 / k, 1.90001 / k), trivial=rational("1"), slack=side(9.5, 9.501),
            details={"curve": curve} if k == 2 and n < 20 else {},
            reproduce=f"mfverify verify --claims C1 --instance 'population n={n} k={k} epsilon=1/5 types=4'",
        )
        for n in (8, 16, 24)
        for k in (2, 3, 4, 5, 6, 7, 8)
    ]  # fmt: skip
    return claim(
        "C1", "corroborated", instances,
        title="Deviation of a subsample, without replacement",
        statement=r"For a uniform $k$-subset $\Delta$ of $[n]$, $$\Pr\left[\max_{z} |F_\Delta(z) - F_{[n]}(z)| > \epsilon\right]"
        r" \le 2\,|\mathcal{Z}_l| \exp\left(-\frac{2kn\epsilon^2}{n-k+1}\right)$$",
        source="DKW without replacement (appendix)", left_means="the exact probability", right_means="the tail bound",
    )  # fmt: skip


def realistic() -> Json:
    """A document that looks like a run: refuted, corroborated, vacuous, undecided claims, one without instances."""
    return document(
        [
            concentration_claim(),
            lipschitz_claim(),
            gap_claim(),
            claim("N1", "undecided", [], title="Bellman noise at the prescribed sample size"),
            claim(
                "C5", "vacuous",
                [instance("vacuous", agents=8, subsample=4, actual=rational("1/4"), bound=side(0.6931, 0.6932), trivial=rational("1/2"))],
                title="The divergence decays like $\\ln(n/k)$", registered="corroborated",
            ),
        ],
        [
            model("coordination", documentation="Majority coordination: agents stand where the global agent stands."),
            model("absorbing", documentation="Undecided agents fall to one of two sides.\n\nSource: section 4.1.", rt_l="1", rt="1"),
        ],
        provenance={
            "version": "0.1.0", "commit": "3f2a1b9c0d", "python": "3.11.7", "machine": "x86_64, 2 cores", "started": "2025-01-31T12:00:00Z",
            "seconds": 812.4, "packages": {"numpy": "2.4", "python-flint": "0.8"},
        },
    )  # fmt: skip
