"""QuantEcon's state-action pairs form as one NumPy archive.

The archive holds the arguments of ``quantecon.markov.DiscreteDP(R, Q, beta, s_indices, a_indices)``, with what the indices
mean. The transition matrix ``Q`` is stored with the keys of :func:`scipy.sparse.save_npz`, so one file serves both readers::

    Q = scipy.sparse.load_npz(file)
    arrays = numpy.load(file)
    problem = DiscreteDP(arrays["R"], Q, float(arrays["beta"]), arrays["s_indices"], arrays["a_indices"])

====================  ====================  ==========================================================================
key                   axes                  meaning
====================  ====================  ==========================================================================
``R``                 ``[choice]``          stage reward
``data``, ``indices``, ``indptr``, ``shape``, ``format``   ``Q[choice, next state]``, compressed sparse rows
``s_indices``         ``[choice]``          state of the choice
``a_indices``         ``[choice]``          number of the choice in its state
``beta``                                    discount
``state_global``      ``[state]``           global state
``state_counts``      ``[state, s]``        count vector
``choice_global``     ``[choice]``          global action
``choice_counts``     ``[choice, z]``       action counts over ``Z_l``, ``z = s |A_l| + a``
====================  ====================  ==========================================================================

All numbers are doubles; see :class:`~mfverify.export.explicit.ExplicitSystem` for how near they are to the rational model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from mfverify import counts
from mfverify.export.explicit import Extent, explicit_system

if TYPE_CHECKING:
    from mfverify.model import Model


def write_npz(model: Model, n: int, stream: BinaryIO) -> Extent:
    """Write the n-agent system; returns how large it is. Raises :class:`TooLargeError` before anything is built."""
    system = explicit_system(model, n)
    global_states, per_global_state = system.shape
    np.savez(
        stream,
        R=system.reward,
        data=system.law.data,
        indices=system.law.indices,
        indptr=system.law.indptr,
        shape=np.array(system.law.shape),
        format=np.array("csr".encode("ascii")),
        s_indices=system.state,
        a_indices=system.action,
        beta=np.array(float(model.discount)),
        state_global=np.repeat(np.arange(global_states), per_global_state),
        state_counts=np.tile(counts.count_vectors(n, model.sizes[2]), (global_states, 1)),
        choice_global=system.global_action,
        choice_counts=system.action_counts,
    )
    return Extent(global_states * per_global_state, len(system.reward), system.law.nnz)
