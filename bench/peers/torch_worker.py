"""PyTorch on one CPU thread, for scale. Arguments: workload as JSON, a folder with weights.bin, weights.json, batches.bin."""
import json, math, resource, sys, time
import numpy as np, torch
import torch.nn.functional as F

torch.set_num_threads(1)
workload, folder = json.loads(sys.argv[1]), sys.argv[2]
B, T, dim, heads, layers = (workload[k] for k in ('B', 'T', 'dim', 'heads', 'layers'))
adam = workload['adam']

numbers, at, p = np.fromfile(f'{folder}/weights.bin', dtype=np.float32), 0, {}
for name, shape in json.load(open(f'{folder}/weights.json')):
    n = int(np.prod(shape))
    p[name] = torch.tensor(numbers[at:at + n].reshape(shape)).requires_grad_(True)
    at += n
batches = torch.tensor(np.fromfile(f'{folder}/batches.bin', dtype=np.int32).reshape(-1, 2, B, T)).long()
hidden = ~torch.tril(torch.ones(T, T, dtype=torch.bool))
optimiser = torch.optim.Adam(p.values(), lr=adam['lr'], betas=(adam['beta1'], adam['beta2']), eps=adam['eps'])


def gelu(x):
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)))


def norm(x, name):
    return F.layer_norm(x, (dim,), p[name + '.weight'], p[name + '.bias'])


def linear(x, name):
    return x @ p[name + '.weight'] + p[name + '.bias']


def attend(x, name):
    q, k, v = (t.reshape(B, T, heads, -1).transpose(1, 2) for t in linear(x, name + '.qkv').split(dim, -1))
    shares = torch.softmax((q @ k.transpose(-1, -2) * math.sqrt(heads / dim)).masked_fill(hidden, -1e9), -1)
    return linear((shares @ v).transpose(1, 2).reshape(B * T, dim), name + '.out')


def loss_of(x, y):
    h = (p['bytes'][x] + p['positions']).reshape(B * T, dim)
    for i in range(layers):
        block = f'blocks.{i}'
        h = h + attend(norm(h, block + '.norm1'), block + '.attention')
        h = h + linear(gelu(linear(norm(h, block + '.norm2'), block + '.mlp.up')), block + '.mlp.down')
    return F.cross_entropy(norm(h, 'norm') @ p['head'], y.reshape(-1))


index = 0
for line in sys.stdin:
    milliseconds, losses = [], []
    for _ in range(int(line.split()[1])):
        start = time.perf_counter()
        loss = loss_of(batches[index, 0], batches[index, 1])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
        milliseconds.append((time.perf_counter() - start) * 1e3)
        index += 1
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    report = {'adapter': f'PyTorch {torch.__version__}, 1 thread', 'milliseconds': milliseconds, 'losses': losses, 'peakMemory': peak}
    print('REPORT ' + json.dumps(report), flush=True)
