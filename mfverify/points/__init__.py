"""A claim at many points: over n, k, the discount and the parameters of a model, with a verdict at each."""
