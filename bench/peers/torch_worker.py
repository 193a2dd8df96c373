"""PyTorch, eager. Arguments: workload as JSON, a folder with weights.bin, weights.json, batches.bin, then the device, cpu (one
thread) or cuda, and the precision of products: float32, tf32 (cuda alone), or bf16 by autocast."""
import json, math, resource, sys, time
import numpy as np, torch
import torch.nn.functional as F

torch.set_num_threads(1)
workload, folder = json.loads(sys.argv[1]), sys.argv[2]
device, precision = (sys.argv[3:] + ['cpu', 'float32'])[:2]
on_card = device == 'cuda'
if on_card and not torch.cuda.is_available():
    sys.exit('torch_worker.py: this PyTorch has no CUDA device')
torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == 'tf32'
B, T, dim, heads, layers = (workload[k] for k in ('B', 'T', 'dim', 'heads', 'layers'))
adam = workload['adam']

numbers, at, p = np.fromfile(f'{folder}/weights.bin', dtype=np.float32), 0, {}
for name, shape in json.load(open(f'{folder}/weights.json')):
    n = int(np.prod(shape))
    p[name] = torch.tensor(numbers[at:at + n].reshape(shape), device=device).requires_grad_(True)
    at += n
batches = torch.tensor(np.fromfile(f'{folder}/batches.bin', dtype=np.int32).reshape(-1, 2, B, T)).long().to(device)
hidden = ~torch.tril(torch.ones(T, T, dtype=torch.bool, device=device))
optimiser = torch.optim.Adam(p.values(), lr=adam['lr'], betas=(adam['beta1'], adam['beta2']), eps=adam['eps'], **({'fused': True} if on_card else {}))


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
    return F.cross_entropy((norm(h, 'norm') @ p['head']).float(), y.reshape(-1))


index = 0
for line in sys.stdin:
    milliseconds, losses = [], []
    for _ in range(int(line.split()[1])):
        start = time.perf_counter()
        with torch.autocast(device, dtype=torch.bfloat16, enabled=precision == 'bf16'):
            loss = loss_of(batches[index, 0], batches[index, 1])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())  # waits for the loss; the update may still run on a card
        if on_card:
            torch.cuda.synchronize()
        milliseconds.append((time.perf_counter() - start) * 1e3)
        index += 1
    peak = torch.cuda.max_memory_allocated() if on_card else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    where = torch.cuda.get_device_name() if on_card else '1 thread'
    report = {'adapter': f'PyTorch {torch.__version__}, {where}, {precision}', 'milliseconds': milliseconds, 'losses': losses, 'peakMemory': peak}
    print('REPORT ' + json.dumps(report), flush=True)
