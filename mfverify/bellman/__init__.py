"""Bellman operators in double precision, each with a bound of its error. Which loop runs when:

===============  ==============================================================================================================
file             runs
===============  ==============================================================================================================
``lumped.py``    the operator on (global state, count vector); of the sweeps below it takes, for each global state, the cheaper one
``labelled.py``  the operator on labelled agents, by contractions of arrays: the reference, for few agents
``sampled.py``   the empirical operator: a mean over sampled next states for every (state, joint action)
``choices.py``   merges actions by kernel and reward, before anything else
``work.py``      counts the steps of a sweep, its plan and its tables, so that the cheaper one is taken (and named to the user)
``fused.py``     kernels that local states do not share: every joint action once, nothing stored
``basis.py``     plans that walk: which choices are vertices, which are walked, by which weights
``rows.py``      the loops of that walk: with two local states ``chain_across`` where the two vertices belong to different ones and
                 ``chain_within`` where to the same; ``chain_three`` with three vertices where agents may stay at each;
                 ``chain_general`` otherwise
``lanes.py``     four rows in one vector register, for these loops
``tabled.py``    kernels that local states share, one agent, or too many choices to plan: a table over kernel counts
``sweeps.py``    its loops: ``expectation_segment`` with two local states, ``expectation_tree`` with more (or one kernel), then
                 ``two_kernel_maximum``; also ``next_count_laws``, the rows of a policy, for all solvers
``transport.py`` the maximum over a table with three or more kernels
===============  ==============================================================================================================
"""
