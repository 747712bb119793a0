"""A minimal process on which Storm's sound value iteration returns an interval that misses the value.

Two states, three choices, rewards that are not negative, one end component (the target). Storm's exact engine gives the value;
the interval of ``SOUND_VALUE_ITERATION`` is then compared with it at several precisions, beside the other sound methods.
Run ``python -m benchmarks.storm_sound_value_iteration``; prints JSON.
"""

from __future__ import annotations

import json
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

PROCESS = """@type: MDP
@value_type: rational
@parameters

@reward_models
r
@nr_states
3
@nr_choices
4
@model
state 0 init
\taction a [5]
\t\t1 : 3/4
\t\t2 : 1/4
\taction b [2]
\t\t0 : 3/4
\t\t2 : 1/4
state 1
\taction c [4]
\t\t0 : 1/4
\t\t1 : 1/2
\t\t2 : 1/4
state 2 end
\taction stop [0]
\t\t2 : 1
"""

VALUE = Fraction(88, 5)
"""Worth of state 0: x = 5 + 3/4 y and y = 4 + x/4 + y/2 give x = 88/5, y = 84/5; action b gives 2 + 3/4 x = 76/5 < x."""

METHODS = ("SOUND_VALUE_ITERATION", "OPTIMISTIC_VALUE_ITERATION", "INTERVAL_ITERATION")
PRECISIONS = (6, 9, 12)


def measure() -> dict[str, Any]:
    """What Storm's engines say of state 0."""
    try:
        import stormpy
    except ImportError:
        return {"status": "not installed"}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "process.drn"
        path.write_text(PROCESS)
        doubles = stormpy.build_model_from_drn[float](path)
        rationals = stormpy.build_model_from_drn[stormpy.Rational](path)
    question = stormpy.parse_properties('R{"r"}max=? [F "end"]')[0]
    exact = Fraction(str(stormpy.model_checking(rationals, question, environment=stormpy.environments.exact()).get_value(0)))
    rows = []
    for method in METHODS:
        for digits in PRECISIONS:
            environment = stormpy.environments.sound()
            environment.solver().min_max().method = getattr(stormpy.environments.MinMaxMethod, method)
            environment.solver().min_max().precision = stormpy.Rational(1) / stormpy.Rational(10**digits)
            found = stormpy.model_checking(doubles, question, environment=environment)[0]
            missed = max(Fraction(found.lower) - exact, exact - Fraction(found.upper), Fraction(0))
            rows.append(
                {
                    "method": method,
                    "precision": f"1e-{digits}",
                    "lower": found.lower,
                    "upper": found.upper,
                    "contains": missed == 0,
                    "missed_by": float(missed),
                }
            )
    return {"status": "done", "exact": str(exact), "expected": str(VALUE), "rows": rows}


if __name__ == "__main__":
    print(json.dumps(measure()))
