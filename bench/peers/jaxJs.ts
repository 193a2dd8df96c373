import * as jax from '@jax-js/jax';
import { installNavigator, serve } from './worker.js';
import { ADAM, VOCABULARY, weightsOf } from './workload.js';

const { jit, nn, numpy: np, tree, valueAndGrad } = jax;
// biome-ignore lint/suspicious/noExplicitAny: its arrays are linear types, which TypeScript does not describe
type Any = any;

/** The backend follows from the device: `wasm`, or one of our own device names for WebGPU. */
await serve(async ({ B, T, dim, heads, layers, ...rest }, device) => {
  const adapter = device === 'wasm' ? 'wasm' : await installNavigator(device);
  const backend = device === 'wasm' ? 'wasm' : 'webgpu';
  await jax.init(backend);
  jax.defaultDevice(backend);

  // An operation consumes its input arrays; `.ref` keeps one for another use.
  const normed = (x: Any, p: Any, name: string) => {
    const centred = x.ref.sub(x.mean(-1, { keepdims: true }));
    const variance = np.square(centred.ref).mean(-1, { keepdims: true });
    const rstd = np.reciprocal(np.sqrt(variance.add(1e-5)));
    return centred.mul(rstd).mul(p[`${name}.weight`]).add(p[`${name}.bias`]);
  };
  const linear = (x: Any, p: Any, name: string) => np.matmul(x, p[`${name}.weight`]).add(p[`${name}.bias`]);
  const split = (x: Any) => x.reshape([B, T, heads, dim / heads]).transpose([0, 2, 1, 3]);
  const attend = (x: Any, p: Any, name: string) => {
    const [q, k, v] = np.split(linear(x, p, `${name}.qkv`), 3, -1).map(split);
    const scores = np.matmul(q, k.transpose([0, 1, 3, 2])).mul(Math.sqrt(heads / dim));
    const shares = nn.softmax(np.where(np.tri(T, T, 0, { dtype: np.bool }), scores, -1e9), -1);
    return linear(
      np
        .matmul(shares, v)
        .transpose([0, 2, 1, 3])
        .reshape([B * T, dim]),
      p,
      `${name}.out`,
    );
  };
  const oneHot = (ids: Any) => nn.oneHot(ids.reshape([B * T]), VOCABULARY);

  // A lookup by one-hot product: its gather has no gradient under jit.
  const lossOf = (p: Any, x: Any, y: Any) => {
    let h = np
      .matmul(oneHot(x), p.bytes)
      .reshape([B, T, dim])
      .add(p.positions)
      .reshape([B * T, dim]);
    for (let i = 0; i < layers; i++) {
      const block = `blocks.${i}`;
      h = h.ref.add(attend(normed(h, p, `${block}.norm1`), p, `${block}.attention`));
      const up = nn.gelu(linear(normed(h.ref, p, `${block}.norm2`), p, `${block}.mlp.up`));
      h = h.add(linear(up, p, `${block}.mlp.down`));
    }
    const logits = np.matmul(normed(h, p, 'norm'), p.head);
    return nn
      .logSoftmax(logits, -1)
      .mul(oneHot(y))
      .sum()
      .mul(-1 / (B * T));
  };

  // Loss, gradients and Adam in one jit: the fastest form found.
  const { lr, beta1, beta2, eps } = ADAM;
  const update = jit((p: Any, m: Any, v: Any, x: Any, y: Any, correction1: Any, correction2: Any) => {
    const [loss, g] = valueAndGrad(lossOf)(tree.ref(p), x, y) as Any;
    const [p2, m2, v2]: Any[] = [{}, {}, {}];
    for (const name of Object.keys(p)) {
      m2[name] = m[name].mul(beta1).add(g[name].ref.mul(1 - beta1));
      v2[name] = v[name].mul(beta2).add(np.square(g[name]).mul(1 - beta2));
      const root = np.sqrt(v2[name].ref.mul(correction2.ref)).add(eps);
      p2[name] = p[name].sub(m2[name].ref.mul(correction1.ref).mul(lr).div(root));
    }
    correction1.dispose();
    correction2.dispose();
    return [loss, p2, m2, v2];
  }) as Any;

  let [p, m, v]: Any[] = [{}, {}, {}];
  for (const [name, { shape, data }] of weightsOf({ B, T, dim, heads, layers, ...rest })) {
    p[name] = np.array(data).reshape([...shape]);
    m[name] = np.zeros([...shape]);
    v[name] = np.zeros([...shape]);
  }
  return {
    adapter,
    async step(x, y, index) {
      const ids = (data: Int32Array) => np.array(data, { dtype: np.int32 }).reshape([B, T]);
      const correction = (beta: number) => np.array(Float32Array.of(1 / (1 - beta ** (index + 1))));
      let loss: Any;
      [loss, p, m, v] = update(p, m, v, ids(x), ids(y), correction(beta1), correction(beta2));
      await jax.blockUntilReady(tree.ref([p, m, v]));
      return (await loss.data())[0];
    },
  };
});
