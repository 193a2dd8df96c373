"""Random expressions of the engine's ops in float64 PyTorch: loss and gradients, for test/engine/expressions.test.ts.

    python3 test/golden/expressions.py > test/golden/expressions.json

The ops are those of test/support/expressions.ts, line by line.
"""
import json
import math
import random

import torch

LEAVES = {'a': [2, 3, 4], 'b': [3, 4], 'c': [4], 'd': [3, 1]}
MAX_SIZE = 400


def broadcasts(x, y):
    try:
        torch.broadcast_shapes(x.shape, y.shape)
        return True
    except RuntimeError:
        return False


def matmul(x, y, k, axis):
    if min(x.dim(), y.dim()) < 2 or x.shape[-1] != y.shape[-1]:
        return None
    try:
        torch.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    except RuntimeError:
        return None
    return x @ y.transpose(-1, -2) / x.shape[-1]


OPS = {
    'add': lambda x, y, k, axis: x + y if broadcasts(x, y) else None,
    'sub': lambda x, y, k, axis: x - y if broadcasts(x, y) else None,
    'mul': lambda x, y, k, axis: x * y.tanh() if broadcasts(x, y) else None,
    'div': lambda x, y, k, axis: x / (y * y + 1) if broadcasts(x, y) else None,
    'scale': lambda x, y, k, axis: x * float(torch.tensor(0.5 - 0.1 * (k % 7))),
    'exp': lambda x, y, k, axis: x.tanh().exp(),
    'log': lambda x, y, k, axis: (x * x + 1).log(),
    'relu': lambda x, y, k, axis: (x + float(torch.tensor(0.1 + 0.0173 * k))).relu(),
    'tanh': lambda x, y, k, axis: x.tanh(),
    'sigmoid': lambda x, y, k, axis: x.sigmoid(),
    'gelu': lambda x, y, k, axis: torch.nn.functional.gelu(x, approximate='tanh'),
    'softmax': lambda x, y, k, axis: None if axis < 0 else x.softmax(axis),
    'sum': lambda x, y, k, axis: None if axis < 0 else x.sum(axis, keepdim=k % 2 == 1),
    'mean': lambda x, y, k, axis: x.mean() if axis < 0 or k % 5 == 0 else x.mean(axis, keepdim=k % 2 == 1),
    'concat': lambda x, y, k, axis: torch.concat([x, y, x], axis) if axis >= 0 and x.shape == y.shape else None,
    'slice': lambda x, y, k, axis: x.narrow(axis, 1, x.shape[axis] - 1) if axis >= 0 and x.shape[axis] > 1 else None,
    'permute': lambda x, y, k, axis: x.permute(*reversed(range(x.dim()))) if x.dim() > 1 else None,
    'reshape': lambda x, y, k, axis: x.reshape(-1),
    'matmul': matmul,
}


def expression(steps, leaves):
    tensors = list(leaves.values())
    for step in steps:
        x, y = tensors[step['i'] % len(tensors)], tensors[step['j'] % len(tensors)]
        axis = -1 if x.dim() == 0 else step['k'] % x.dim()
        result = OPS[step['op']](x, y, step['k'], axis)
        if result is not None and result.numel() <= MAX_SIZE:
            tensors.append(result)
    return sum(x.tanh().mean() for x in tensors)


draw = random.Random(7)
cases = []
for _ in range(24):
    steps = [
        {'op': draw.choice(list(OPS)), 'i': draw.randrange(100), 'j': draw.randrange(100), 'k': draw.randrange(100)}
        for _ in range(draw.randint(4, 16))
    ]
    numbers = {name: [round(draw.gauss(0, 1), 2) for _ in range(math.prod(shape))] for name, shape in LEAVES.items()}
    leaves = {
        name: torch.tensor(numbers[name], dtype=torch.float64).reshape(shape).requires_grad_()
        for name, shape in LEAVES.items()
    }
    loss = expression(steps, leaves)
    loss.backward()
    gradients = {name: leaf.grad.flatten().tolist() for name, leaf in leaves.items()}
    cases.append({'steps': steps, 'leaves': numbers, 'loss': loss.item(), 'gradients': gradients})

print('[\n' + ',\n'.join(json.dumps(case) for case in cases) + '\n]')
