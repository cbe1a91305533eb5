"""A perceptron with one hidden layer of rectified units at all products of two vectors, without one evaluation each.

Such a function of one number is made of straight lines that meet where the input of a unit is 0. Between these corners
f(a b) is a line in a, so for all a of a narrow range it is one slope and one constant per b, except for the few b
at which a corner lies within that range. Only there the unit with the corner is evaluated for each product. Nothing is
approximated: results differ from the perceptron's by rounding.
"""

import torch
from torch import Tensor, nn

from harness.encodings.perceptron import Perceptron


def of_products(perceptron: Perceptron, a: Tensor, b: Tensor) -> Tensor:
    """``f(a_i b_j)`` [H, I, J] for ``a`` [I], faster the nearer its values are to each other, and ``b`` [J]. ``f`` is a
    perceptron of widths 1, any and H whose activation is a straight line on either side of 0, as ``relu`` and
    ``leaky_relu`` are.
    """
    hidden, output = perceptron.layers
    assert isinstance(hidden, nn.Linear)
    assert isinstance(output, nn.Linear)
    below, above = perceptron.activation(b.new_tensor([-1.0, 1.0])) * b.new_tensor([-1.0, 1.0])  # slopes
    offsets = hidden.bias[:, None]
    inputs = hidden.weight * b  # [units, J]
    at_lowest, at_highest = inputs * a.min() + offsets > 0, inputs * a.max() + offsets > 0
    acting = torch.where(at_lowest & at_highest, above, below)
    slopes = output.weight @ (inputs * acting)
    constants = output.weight @ (offsets * acting) + output.bias[:, None]
    values = torch.addcmul(constants[:, None], slopes[:, None], a[:, None])
    corners = at_lowest ^ at_highest
    steeper = output.weight * (above - below)
    for unit in corners.any(dim=1).nonzero().flatten().tolist():
        where = corners[unit].nonzero()
        columns = slice(int(where[0]), int(where[-1]) + 1)
        beyond = torch.addcmul(offsets[unit], a[:, None], inputs[unit, columns]).relu() * corners[unit, columns]
        values[..., columns] += steeper[:, unit, None, None] * beyond
    return values
