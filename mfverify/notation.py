"""The paper's symbols, the names used in the code, axis orders and ranges: stated once, here.

====================  ==========================  =====================================================================
paper                 code                        meaning, axes, range
====================  ==========================  =====================================================================
``n``                 ``agents``, ``n``           number of local agents, >= 1
``k``                 ``subsample``, ``k``        number of sampled local agents, 1 <= k <= n
``S_g, A_g``          ``G``, ``B``                number of global states (index ``g``) and global actions (``b``)
``S_l, A_l``          ``S``, ``A``                number of local states (index ``s``) and local actions (``a``)
``Z_l = S_l x A_l``   ``z = s * A + a``           index of a local state-action pair, local state major
``P_g(g'|g,b)``       ``global_kernel``           array ``[g, b, g']``; next state last
``P_l(s'|s,g,a)``     ``local_kernel``            array ``[s, g, a, s']``; next state last
``r_g(g,b)``          ``global_reward``           array ``[g, b]``
``r_l(s,g,a)``        ``local_reward``            array ``[s, g, a]``
``gamma``             ``discount``                in (0, 1)
``r~_g, r~_l, r~``    ``rt_g, rt_l, rt``          max |r_g|, max |r_l| and their sum (Assumption 2.2)
``F_z``               ``counts / n``              empirical distribution, kept as an integer count vector
``mu_k(Z_l)``         ``count_vectors(k, S*A)``   all count vectors of k agents, lexicographic, ascending
``Q-hat*_k``          ``Q_k``                     fixed point of the k-agent operator ``T_k``
``pi-hat``            ``Learned``                 greedy policy of ``Q_k``; the action of a sample
``pi_k``              ``sampling``                the policy executed by n agents that sample (Algorithm 2)
====================  ==========================  =====================================================================

Values of an n-agent system are arrays ``[g, c]``: global state, then the rank of the count vector ``c`` of local
states in ``count_vectors(n, S)``. Joint local actions are *action counts*: the number of agents per choice of a kernel
in each local state.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
"""Array of double-precision numbers; the docstring of the function that returns it names the axes."""

Integers: TypeAlias = npt.NDArray[np.int64]
"""Array of 64-bit integers: count vectors, ranks, indices of states and actions."""

Booleans: TypeAlias = npt.NDArray[np.bool_]
"""Array of truth values."""

Exact: TypeAlias = npt.NDArray[np.object_]
"""Array of :class:`fractions.Fraction`."""
