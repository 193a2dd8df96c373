// A transformer block built from matmul and softmax, and one with the engine's fused attention: the same numbers.
import { attention, layerNorm, normals, openDevice, Program, type Tensor } from 'byte-to-loss/engine';

const [B, S, H, D] = [2, 16, 4, 8]; // batch, positions, heads, width of a head
const C = H * D;
const device = await openDevice();
const program = new Program({ device });
const W = (name: string, rows: number, columns: number) =>
  program.parameter(name, [rows, columns], { init: { std: rows ** -0.5 } });
const [qkv, out, up, down] = [W('qkv', C, 3 * C), W('out', C, C), W('up', C, 4 * C), W('down', 4 * C, C)];
const [ones, zeros] = [1, 0].map((value) => program.constant(`${value}s`, new Array(C).fill(value)));
const norm = (x: Tensor) => layerNorm(x, ones!, zeros!);

// A position sees itself and those before it. To all others, a score of -1e9 leaves a share of 0.
const mask = Array.from({ length: S }, (_, i) => Array.from({ length: S }, (_, j) => (j > i ? -1e9 : 0)));
const future = program.constant('future', mask);
const ownAttention = (q: Tensor, k: Tensor, v: Tensor) => {
  const scores = q.matmul(k.transpose()).div(Math.sqrt(D)).add(future); // [B, H, S, S]
  return scores.softmax().matmul(v).permute([0, 2, 1, 3]).reshape([B, S, C]);
};
const first = program.constant('position', [1], new Uint32Array(1));
const fusedAttention = (q: Tensor, k: Tensor, v: Tensor) => attention(q, k, v, first, 0);

function block(x: Tensor, attend: (q: Tensor, k: Tensor, v: Tensor) => Tensor): Tensor {
  const heads = norm(x).matmul(qkv).reshape([B, S, 3, H, D]); // q, k and v one after the other
  const [q, k, v] = [0, 1, 2].map((i) =>
    heads
      .slice(2, i, i + 1)
      .reshape([B, S, H, D])
      .permute([0, 2, 1, 3]),
  );
  const h = x.add(attend(q!, k!, v!).matmul(out));
  return h.add(norm(h).matmul(up).gelu().matmul(down));
}
const x = program.constant('x', [B, S, C], normals(0, 'x', B * S * C));
const [own, fused] = [block(x, ownAttention), block(x, fusedAttention)]; // [B, S, C]
for (const y of [own, fused]) console.log(`${await y.slice(2, 0, 4).slice(1, -2).value()}`); // two positions, four columns
console.log(`largest difference ${Math.max(...(await own.sub(fused).value()).data.map(Math.abs)).toExponential(1)}`);
device.close();
