"""Doors in float64 PyTorch: rows of slots and stream, and gradients, for test/model/doors.test.ts.

    python3 test/golden/doors.py > test/golden/doors.json

Written from the description of each door, not from the code: embeddings are torch.nn.functional.embedding, the byte before is a
roll, bits are shifts. The loss is Σ w·x over slots and stream rows, w given below.
"""
import json
import math

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
B, L, T, K, dim = 2, 6, 5, 2, 32
MASK, EOS, VOCABULARY = 256, 257, 258

prefix = torch.tensor([[72, 0, 255, 7, 7, 200], [1, 128, 254, 72, 101, 0]])
stream = torch.tensor([[MASK, 72, 105, 105, 0], [MASK, 255, 3, EOS, 9]])


def numbers(n, phase):
    """Numbers of no pattern that the test can make too."""
    return torch.tensor([math.sin(1.7 * i + phase) for i in range(n)])


def before(ids):
    moved = torch.roll(ids, 1, dims=1)
    moved[:, 0] = MASK
    return moved


def packed(rows):
    return rows.reshape(B, -1, K * rows.shape[-1])


def bits(ids):
    shifts = torch.arange(7, -1, -1)
    found = (ids.unsqueeze(-1) >> shifts) & 1
    return torch.where(ids.unsqueeze(-1) > 255, torch.zeros_like(found), found).double()


def embeddings(names):
    tables = {}
    for i, (name, width) in enumerate(names):
        tables[name] = numbers(VOCABULARY * width, i).reshape(VOCABULARY, width).requires_grad_()
    return tables


def untied():
    t = embeddings([('slotBytes', dim // K), ('streamBytes', dim)])
    return t, packed(F.embedding(prefix, t['slotBytes'])), F.embedding(stream, t['streamBytes'])


def previous():
    half = dim // K
    t = embeddings([('slotBytes', half), ('slotPrevious', half), ('streamBytes', dim), ('streamPrevious', dim)])
    slots = F.embedding(prefix, t['slotBytes']) + F.embedding(before(prefix), t['slotPrevious'])
    rows = F.embedding(stream, t['streamBytes']) + F.embedding(before(stream), t['streamPrevious'])
    return t, packed(slots), rows


def raw_bits():
    return {}, packed(bits(prefix)), bits(stream)


def bits_with_context():
    both = lambda ids: torch.cat([bits(ids), bits(before(ids))], -1)
    return {}, packed(both(prefix)), both(stream)


doors = {'bytes-untied': untied, 'bytes+previous': previous, 'bits': raw_bits, 'bits+context': bits_with_context}
golden = {'B': B, 'L': L, 'T': T, 'K': K, 'dim': dim, 'prefix': prefix.flatten().tolist(), 'stream': stream.flatten().tolist(), 'doors': {}}
for name, door in doors.items():
    tables, slots, rows = door()
    x0 = torch.cat([F.pad(slots, (0, dim - slots.shape[-1])), F.pad(rows, (0, dim - rows.shape[-1]))], 1)
    loss = (x0.flatten() * numbers(x0.numel(), 9)).sum()
    if tables:
        loss.backward()
    # The rows of a table that some id looks up; the others are zero.
    gradients = {}
    for table, weight in tables.items():
        used = [r for r in range(VOCABULARY) if weight.grad[r].abs().sum() > 0]
        gradients[table] = {str(r): [round(v, 12) for v in weight.grad[r].tolist()] for r in used}
    golden['doors'][name] = {'x0': [round(v, 12) for v in x0.flatten().tolist()], 'loss': loss.item(), 'gradients': gradients}
print(json.dumps(golden))
